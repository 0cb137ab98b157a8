"""The house stands as it was drawn."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_imports_point_down_only():
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command, "import-linter is part of the test extra"
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_files_stay_short():
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 350}
    assert not long


def calls():
    """(file, line, dotted name) of everything that the package calls."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield path.name, node.lineno, ast.unparse(node.func)


def test_nothing_draws_from_numpys_global_generator():
    made = ("np.random.Generator", "np.random.PCG64")
    assert [c for c in calls() if c[2].startswith(("np.random.", "numpy.random.")) and c[2] not in made] == []


def test_nothing_runs_what_a_file_says():
    dangerous = {"eval", "exec", "compile", "os.system", "pickle.load", "pickle.loads", "__import__"}
    assert [c for c in calls() if c[2] in dangerous] == []

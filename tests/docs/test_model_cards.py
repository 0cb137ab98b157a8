"""The model cards say what was measured."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "model_cards.py"


def test_the_tables_are_those_of_the_results():
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_table_that_differs_is_found(tmp_path):
    card = tmp_path / "card.md"
    card.write_text("<!-- table: folds -->\n| fold | right |\n| --- | --- |\n| 0 | 99.9 % |\n<!-- end -->\n")
    code = f"import sys, pathlib; sys.path.insert(0, {str(SCRIPT.parent)!r}); import model_cards as m; "
    code += f"m.CARDS = (pathlib.Path({str(card)!r}),); sys.argv = ['m', '--check']; m.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{card} differs from results/" in done.stderr

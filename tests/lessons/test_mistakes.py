"""Wrong pull-backs and difference quotients: what the lesson says of them is so."""

import numpy as np
import pytest

import inkgrad as ig
from inkgrad.autodiff.differentiable import Op
from inkgrad.autodiff.tensor import OPS
from inkgrad.errors import DivergenceError, InputError, OptionError
from inkgrad.lessons import Expression
from inkgrad.lessons.mistakes import MISTAKES, mistake
from inkgrad.lessons.steps import STEPS, step_errors


@pytest.mark.parametrize("one", MISTAKES, ids=lambda one: one.name)
def test_a_mistake_gives_the_right_value_and_is_caught(one):
    before = dict(OPS)
    report, complaint = one.check()
    assert report is None and "correct its pull-back" in complaint
    report, complaint = one.check(corrected=True)
    assert report.passed and complaint == ""
    inputs = one.inputs(ig.default_rng(0))
    value, pullbacks = one.body(*inputs)
    np.testing.assert_allclose(value, one.engine(*(ig.Tensor(x) for x in inputs)).data)
    for x, pullback in zip(inputs, pullbacks, strict=True):  # wrong in number only: no shape gives it away
        assert pullback(np.ones_like(value)).shape == x.shape
    assert before == OPS  # none of them is listed among the package's own


@pytest.mark.parametrize("one", MISTAKES, ids=lambda one: one.name)
def test_the_correction_that_is_shown_passes(one):
    assert one.source.count(one.wrong) == 1
    namespace = {"np": np}
    exec("from __future__ import annotations\n" + one.source.replace(one.wrong, one.right), namespace)
    corrected = Op(namespace[one.body.__name__], broadcasts=False, constants=())
    assert ig.check_gradients(corrected, *one.inputs(ig.default_rng(3)), elementwise=True).passed


def test_an_unknown_mistake():
    with pytest.raises(OptionError, match="missing_transpose"):
        mistake("none")


def test_quotients_have_a_valley_where_theory_expects_it():
    found = step_errors(Expression("exp(x)"), 1.0)
    assert found.gradient == pytest.approx(np.e) and (STEPS[0], len(STEPS)) == (0.1, 23)
    assert STEPS[-1] == pytest.approx(1e-12)
    for curve in found.curves:
        assert curve.best / 30 < curve.expected < curve.best * 30
        assert min(curve.errors[0], curve.errors[-1]) > 100 * min(curve.errors)
    central = next(curve for curve in found.curves if (curve.kind, curve.dtype) == ("central", "float64"))
    h = STEPS[2]
    assert central.errors[2] == pytest.approx(h**2 / 6, rel=0.01)  # h^2 |f'''| / 6, relative to f' = f'''
    one_sided = next(curve for curve in found.curves if (curve.kind, curve.dtype) == ("one-sided", "float64"))
    assert one_sided.errors[2] == pytest.approx(h / 2, rel=0.01)


def test_quotients_that_cannot_be_measured():
    with pytest.raises(OptionError, match="one name"):
        step_errors(Expression("x*y"), 1.0)
    with pytest.raises(InputError, match="gradient is 0"):
        step_errors(Expression("x**2"), 0.0)
    with pytest.raises(DivergenceError):
        step_errors(Expression("log(x)"), -1.0)
    narrow = step_errors(Expression("log(x)"), 1e-3)
    assert narrow.curves[0].errors[0] is None and narrow.curves[0].errors[-1] is not None
    assert step_errors(Expression("x*1"), 1e39).curves[0].best is None  # beyond float32

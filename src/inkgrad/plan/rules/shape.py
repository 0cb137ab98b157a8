"""Other shapes: images as rows of numbers, and as one row of channels for each pixel."""

from inkgrad.kernels.numba_cpu.transpose import transpose
from inkgrad.plan.planner import Planner, Value, rule
from inkgrad.plan.trace import SAMPLES, Call, Unplannable
from inkgrad.plan.words import COUNT


@rule("reshape")
def reshape(planner: Planner, call: Call) -> None:
    """Flattening: (c, h, w) -> (c h w,), which moves numbers only where there are several channels and pixels."""
    if "turned" in call.options:
        _pixels_first(planner, call)
        return
    x = planner.value(call.inputs[0])
    if call.output.shape != (SAMPLES, x.size):
        raise Unplannable("only a reshape to (n, d) is planned, and one of images to (n, c, h w) and then (n, h w, c)")
    channels, pixels = x.shape[0], x.size // x.shape[0]
    if len(x.shape) != 3 or channels == 1 or pixels == 1:
        _as_it_lies(planner, call, x, (x.size,))
        return
    program = planner.program
    y = Value((x.size,), planner.take(x.size), x.differentiated)
    planner.set_value(call.output, y)
    program.emit(transpose, COUNT, 0, pixels, pixels, channels, x.place, y.place)

    def backward() -> None:
        g = planner.arrived(y)
        if g is not None:
            planner.deliver(x, lambda place: program.emit(transpose, COUNT, 0, channels, channels, pixels, g, place))
            planner.give(x.size, g)

    planner.later(backward)


def _pixels_first(planner: Planner, call: Call) -> None:
    """(c, h, w) -> (c, h w) -> (h w, c): as images lie with their channels last, nothing moves."""
    x, turned = planner.value(call.inputs[0]), call.options["turned"]
    axes = tuple(turned.options.get("axes") or ())
    between = turned.inputs[0].shape
    is_image = len(x.shape) == 3 and between == (SAMPLES, x.shape[0], x.size // x.shape[0])
    if not is_image or axes not in ((0, 2, 1), (0, -1, -2)):
        raise Unplannable("only a transpose of images as (n, c, h w) to (n, h w, c) is planned")
    _as_it_lies(planner, call, x, (between[2], between[1]))


def _as_it_lies(planner: Planner, call: Call, x: Value, shape: tuple[int, ...]) -> None:
    y = Value(shape, x.place, x.differentiated)
    planner.set_value(call.output, y)

    def pass_on() -> None:
        g = planner.arrived(y)
        if g is not None:
            planner.hand_over(x, g)

    planner.later(pass_on)

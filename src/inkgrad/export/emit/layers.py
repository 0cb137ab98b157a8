"""Convolution, pooling and normalization."""

from typing import Any

from inkgrad.autodiff.ops.window import pair_of, pool_window
from inkgrad.export.emit.step import Step, emits
from inkgrad.export.graph import Graph


@emits("conv2d")
def _conv2d(g: Graph, step: Step) -> str:
    weight, _ = step.shapes(1)
    stride, padding = (step.options.get(name, least) for name, least in (("stride", 1), ("padding", 0)))
    around = pair_of("conv2d", "padding", padding, least=0)
    return g.add(
        "Conv",
        *(name for name in step.names if name),
        kernel_shape=weight[2:],
        strides=pair_of("conv2d", "stride", stride, least=1),
        pads=around * 2,
    )


def _window(step: Step) -> dict[str, Any]:
    options = step.options
    size, stride, padding = pool_window(step.call.op, options["size"], options.get("stride"), options.get("padding", 0))
    return {"kernel_shape": size, "strides": stride, "pads": padding * 2}


@emits("max_pool2d")
def _max_pool2d(g: Graph, step: Step) -> str:
    return g.add("MaxPool", *step.names, **_window(step))


@emits("average_pool2d")
def _average_pool2d(g: Graph, step: Step) -> str:
    return g.add("AveragePool", *step.names, count_include_pad=1, **_window(step))


@emits("global_average_pool2d")
def _global_average_pool2d(g: Graph, step: Step) -> str:
    return g.add("Flatten", g.add("GlobalAveragePool", *step.names))


@emits("batch_norm_inference")
def _batch_norm(g: Graph, step: Step) -> str:
    return g.add("BatchNormalization", *step.names, epsilon=float(step.options.get("eps", 1e-5)))


@emits("layer_norm")
def _layer_norm(g: Graph, step: Step) -> str:
    axes = len(step.shapes(1)[0])
    return g.add("LayerNormalization", *step.names, axis=-axes, epsilon=float(step.options.get("eps", 1e-5)))

"""Neighbouring operations that are done in one go: a convolution with what follows it, a sum with its ReLU..."""

from collections import Counter
from typing import Any

from inkgrad.autodiff import Tensor
from inkgrad.plan.trace import Call, Trace

__all__ = ["fuse"]

# first op -> ops that may follow it, each with the option that it becomes; in this order.
_CHAINS: dict[str, tuple[tuple[str, str], ...]] = {
    "conv2d": (("batch_norm_inference", "norm"), ("relu", "relu"), ("max_pool2d", "pool")),
    "batch_norm": (("relu", "relu"),),
    "batch_norm_inference": (("relu", "relu"),),
    "add": (("relu", "relu"),),
    "affine": (("batch_norm_inference", "norm"), ("relu", "relu")),
    "reshape": (("transpose", "turned"),),
}


def fuse(trace: Trace) -> list[Call]:
    """The calls of a trace with chains of single consumers merged into their first operation.

    What follows stands in the options of the merged call, under the names of `_CHAINS`, as the call it was.
    """
    uses = Counter(id(v) for call in trace.calls for v in call.inputs if isinstance(v, Tensor))
    uses[id(trace.output)] += 1
    consumer = {id(call.inputs[0]): call for call in trace.calls if call.inputs}
    gone: set[int] = set()
    merged = []
    for call in trace.calls:
        if id(call) in gone:
            continue
        options: dict[str, Any] = dict(call.options)
        output = call.output
        if call.options.get("activation", "identity") == "identity":
            for op, name in _CHAINS.get(call.op, ()):
                following = consumer.get(id(output))
                if following is None or following.op != op or uses[id(output)] != 1:
                    continue
                options[name] = following
                output = following.output
                gone.add(id(following))
        merged.append(Call(call.op, call.inputs, options, output))
    return merged

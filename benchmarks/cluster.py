"""What a step costs on many nodes, by the alpha-beta model: a message of m bytes takes alpha + beta m.

The sum of m bytes over p nodes, of which each adds at gamma a byte, takes the least of

- a ring (Patarasuk and Yuan 2009): 2 (p - 1) alpha + 2 (p - 1) / p m beta + (p - 1) / p m gamma,
- recursive doubling, a tree: log2(p) (alpha + m beta + m gamma),
- Rabenseifner's (Thakur, Rabenseifner and Gropp 2005): 2 log2(p) alpha + 2 (p - 1) / p m beta + (p - 1) / p m gamma,

with log2 rounded up. An MPI chooses among these by the size of the message. A step is the computation of a node's part
of the batch, and then the sum: nothing overlaps.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NODES = (1, 2, 4, 8, 16, 32, 64)
WORTH = 0.5  # of the speed that the nodes would have alone


@dataclass(frozen=True)
class Link:
    """What connects two nodes.

    Attributes:
        name: in words.
        alpha: seconds of a message without content.
        beta: seconds a byte.
        gamma: seconds to add a byte.
    """

    name: str
    alpha: float
    beta: float
    gamma: float = 0.0


def allreduce(link: Link, nodes: int, size: int) -> dict[str, float]:
    """Seconds of each algorithm for `size` bytes."""
    if nodes == 1:
        return {"none": 0.0}
    rounds, part = math.ceil(math.log2(nodes)), (nodes - 1) / nodes * size
    shared = 2 * part * link.beta + part * link.gamma
    return {
        "ring": 2 * (nodes - 1) * link.alpha + shared,
        "tree": rounds * (link.alpha + size * (link.beta + link.gamma)),
        "Rabenseifner": 2 * rounds * link.alpha + shared,
    }


def computed(times: Mapping[int, float], batch: float) -> float:
    """Seconds of a step on a batch, between those that were measured; below the least it costs what that costs."""
    sizes = sorted(times)
    if batch <= sizes[0]:
        return times[sizes[0]]
    after = next((size for size in sizes if size >= batch), sizes[-1])
    before = sizes[max(sizes.index(after) - 1, 0)]
    slope = (times[after] - times[before]) / (after - before)
    return times[before] + slope * (batch - before)


def steps(times: Mapping[int, float], size: int, batch: int, link: Link, *, grows: bool) -> list[dict[str, float]]:
    """For each number of nodes the seconds of a step and how many times as fast as one node it is.

    Args:
        times: batch -> seconds that a node computes.
        size: bytes of the message.
        batch: of a step, or of each node where it `grows` with them.
        link: between nodes.
        grows: whether each node keeps its batch.
    """
    found = []
    for nodes in NODES:
        own = batch if grows else batch / nodes
        compute, message = computed(times, own), min(allreduce(link, nodes, size).values())
        images = own * nodes / (compute + message)
        found.append({"nodes": nodes, "compute": compute, "message": message, "images_per_second": images})
    for line in found:
        line["speedup"] = line["images_per_second"] / found[0]["images_per_second"]
    return found


def pays_to(lines: Sequence[Mapping[str, float]]) -> int:
    """The most nodes up to which each has at least half the speed that it has alone, and more nodes are faster."""
    most = 1
    for before, line in itertools.pairwise(lines):
        if line["speedup"] < WORTH * line["nodes"] or line["speedup"] <= before["speedup"]:
            break
        most = int(line["nodes"])
    return most


def fitted(name: str, times: Mapping[int, float], nodes: int) -> Link:
    """The link whose model of `nodes` lies nearest to what sums of so many bytes took, by their relative errors."""
    import numpy as np

    rounds = math.ceil(math.log2(nodes))
    sizes, seconds = np.array(list(times)), np.array(list(times.values()))
    # The tree's formula, without a gamma of its own: what is added is part of what a byte costs.
    rows = np.stack([np.full(len(sizes), rounds), rounds * sizes], axis=1) / seconds[:, None]
    (alpha, beta), *_ = np.linalg.lstsq(rows, np.ones(len(sizes)), rcond=None)
    return Link(name, max(float(alpha), 0.0), max(float(beta), 0.0))

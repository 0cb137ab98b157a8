"""Training and reading on many machines."""

from inkgrad.distributed.ending import end_together
from inkgrad.distributed.world import World, join, started_together

__all__ = ["World", "end_together", "join", "started_together"]

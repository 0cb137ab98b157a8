"""Why a network answers as it does: which ink speaks for a digit, and what would turn it into another one."""

from inkgrad.explain.activation import grad_cam
from inkgrad.explain.change import Change, smallest_change
from inkgrad.explain.covering import occlusion
from inkgrad.explain.gradients import integrated_gradients, saliency
from inkgrad.explain.inside import PARTS, look_inside, packed
from inkgrad.explain.output import Contributions, contributions

__all__ = [
    "PARTS",
    "Change",
    "Contributions",
    "contributions",
    "grad_cam",
    "integrated_gradients",
    "look_inside",
    "occlusion",
    "packed",
    "saliency",
    "smallest_change",
]

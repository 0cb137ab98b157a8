"""The ten digits as two people write them: strokes of points in a unit square."""

import math
from itertools import pairwise

Stroke = list[tuple[float, float]]


def arc(x: float, y: float, wide: float, tall: float, start: float, end: float, points: int = 12) -> Stroke:
    """Part of an ellipse; degrees grow clockwise from the right."""
    angles = [math.radians(start + (end - start) * i / points) for i in range(points + 1)]
    return [(x + wide * math.cos(angle), y + tall * math.sin(angle)) for angle in angles]


def line(*corners: tuple[float, float], points: int = 4) -> Stroke:
    """Straight from corner to corner."""
    steps = [i / points for i in range(points + 1)]
    return [(x + (u - x) * s, y + (v - y) * s) for (x, y), (u, v) in pairwise(corners) for s in steps]


UPRIGHT = {
    0: [arc(0.5, 0.5, 0.24, 0.36, -90, -450, 20)],
    1: [line((0.36, 0.32), (0.52, 0.15), (0.52, 0.86))],
    2: [arc(0.5, 0.34, 0.22, 0.2, -170, 20) + line((0.7, 0.42), (0.3, 0.84), (0.74, 0.84))],
    3: [arc(0.47, 0.33, 0.2, 0.18, -150, 90) + arc(0.47, 0.68, 0.23, 0.18, -90, 150)],
    4: [line((0.55, 0.14), (0.26, 0.6), (0.76, 0.6)), line((0.62, 0.36), (0.62, 0.88))],
    5: [line((0.7, 0.16), (0.36, 0.16), (0.33, 0.46)) + arc(0.48, 0.64, 0.23, 0.22, -130, 140)],
    6: [line((0.62, 0.13), (0.42, 0.36)) + arc(0.5, 0.64, 0.2, 0.22, -160, -520, 18)],
    7: [line((0.27, 0.17), (0.74, 0.17), (0.44, 0.87))],
    8: [
        arc(0.5, 0.32, 0.18, 0.17, -60, -240)
        + arc(0.5, 0.67, 0.21, 0.19, -100, 260, 18)
        + arc(0.5, 0.32, 0.18, 0.17, 120, -60)
    ],
    9: [arc(0.5, 0.35, 0.19, 0.2, -20, -370, 18) + line((0.69, 0.36), (0.6, 0.87))],
}
"""A careful hand: closed loops, straight lines."""

SLANTED = {
    0: [[(x + (0.5 - y) * 0.15, y) for x, y in arc(0.5, 0.5, 0.2, 0.34, -60, -430, 20)]],
    1: [line((0.54, 0.14), (0.47, 0.86))],
    2: [
        arc(0.49, 0.33, 0.2, 0.17, -160, 35)
        + line((0.64, 0.44), (0.33, 0.76))
        + arc(0.36, 0.76, 0.06, 0.06, 180, 400)
        + line((0.42, 0.8), (0.58, 0.86), (0.76, 0.78))
    ],
    3: [line((0.3, 0.17), (0.7, 0.17), (0.46, 0.42)) + arc(0.45, 0.64, 0.24, 0.22, -90, 140)],
    4: [line((0.34, 0.16), (0.3, 0.54), (0.72, 0.52)), line((0.66, 0.2), (0.6, 0.88))],
    5: [line((0.36, 0.18), (0.34, 0.46)) + arc(0.46, 0.65, 0.24, 0.21, -120, 145), line((0.36, 0.18), (0.7, 0.15))],
    6: [arc(0.62, 0.52, 0.3, 0.38, -110, -230) + arc(0.49, 0.68, 0.18, 0.17, 140, -230, 17)],
    7: [line((0.28, 0.2), (0.72, 0.16), (0.48, 0.88)), line((0.38, 0.52), (0.7, 0.5))],
    8: [[(0.5 + 0.19 * math.sin(2 * t), 0.5 - 0.36 * math.cos(t)) for t in (math.pi * i / 15 for i in range(31))]],
    9: [arc(0.5, 0.36, 0.2, 0.19, 0, -360, 18) + line((0.7, 0.36), (0.68, 0.6)) + arc(0.48, 0.64, 0.2, 0.22, 10, 120)],
}
"""A quick hand: open loops, a three with a flat top, a crossed seven, a curled two and nine."""

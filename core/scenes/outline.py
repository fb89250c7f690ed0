"""The outline of an object, rasterised in the object's own coordinates.

An object has its own coordinates: u runs along it and v across it, and all of it lies within u² + v² ≤ 1 (a capsule,
which has round ends, within |u|, |v| ≤ 1). An outline is a function of (u, v) that is about −1 in the middle of the
object, 0 on its edge and positive outside.
"""

from math import pi
from typing import NamedTuple

import numpy as np
from numpy import ndarray

TRAITS = 3  # random numbers that distinguish the objects of a class

Pair = tuple[ndarray, ndarray]  # two arrays [h, w] of the same patch


class Outline(NamedTuple):
    """An object's outline, rasterised on a patch just large enough.

    Attributes:
        u: float32 [h, w], coordinate along the object.
        v: float32 [h, w], coordinate across the object.
        depth: float32 [h, w], −1 … 0 inside, positive outside.
        left: First column of the patch, relative to the pixel of the object's centre.
        top: First row of the patch, relative to the pixel of the object's centre.
        ratio: Length over width.
        pixel: Size of a pixel in units of v.
        reach: Offset and blur of its shadow, in pixels; the patch has room for it.
    """

    u: ndarray
    v: ndarray
    depth: ndarray
    left: int
    top: int
    ratio: float
    pixel: float
    reach: float

    @property
    def mask(self) -> ndarray:
        """bool [h, w]: pixels that are at least half covered."""
        return self.depth <= 0


class SceneObject(NamedTuple):
    """An object before it is placed in a scene.

    Attributes:
        label: Its class, 0 … K−1.
        length: Longer side in pixels: the diameter of the circle around the object.
        ratio: Length over width.
        angle: Angle between its length and the x axis, in radians.
        shift: Position of its centre within a pixel (x, y), 0 … 1.
        traits: float32 [TRAITS], its differences from other objects of its class.
    """

    label: int
    length: float
    ratio: float
    angle: float
    shift: tuple[float, float]
    traits: ndarray


def draw_line(distance: ndarray, half_width: float, pixel: float) -> ndarray:
    """Returns 1 within `half_width` of a curve and 0 beyond, with an edge one pixel soft."""
    return np.clip(0.5 + (half_width - distance) / pixel, 0, 1)


def distance_to_integer(x: ndarray) -> ndarray:
    """Returns the distance to the nearest integer."""
    return np.abs(x - np.rint(x))


def fold_sectors(u: ndarray, v: ndarray, arms: int) -> Pair:
    """Returns polar coordinates folded onto one of `arms` sectors: radius, and angle from the sector's axis."""
    sector = 2 * pi / arms
    angle = np.arctan2(v, u)
    return np.sqrt(u * u + v * v), angle - sector * np.rint(angle / sector)

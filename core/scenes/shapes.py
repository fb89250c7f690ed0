"""The objects of the scenes: what outlines them and what is drawn on them.

An object lives in its own frame: u runs along it and v across it, and the whole of it lies within u² + v² ≤ 1 (a
capsule, which keeps its ends round, within |u|, |v| ≤ 1). An outline is a function of (u, v) that is about −1 where the
object is deepest, 0 on its edge and positive outside; a texture says for each point how much of the accent colour is
mixed in and how bright it is. Nothing here is random: variety comes in through `traits`, numbers in [0, 1).
"""

from collections.abc import Callable
from math import ceil, cos, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy import ndarray

TRAITS = 3  # random numbers that tell one object of a class from another

Pair = tuple[ndarray, ndarray]  # two arrays [h, w] of the same patch


class Outline(NamedTuple):
    """An object's outline, rasterised on a patch just large enough.

    Attributes:
        u: float32 [h, w], coordinate along the object.
        v: float32 [h, w], coordinate across the object.
        depth: float32 [h, w], −1 … 0 inside, positive outside.
        left: First column of the patch, from the pixel the object is centred in.
        top: First row of the patch, from the pixel the object is centred in.
        ratio: Length over width.
        pixel: Size of a pixel in units of v.
        reach: How far its shadow is thrown and blurred, in pixels; the patch has room for it.
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
        """Pixels that are at least half covered, bool [h, w]."""
        return self.depth <= 0


class Thing(NamedTuple):
    """An object before it has a place.

    Attributes:
        label: Its class, 0 … K−1.
        length: Longer side in pixels: the diameter of the circle around the object.
        ratio: Length over width.
        angle: Rotation of the length against the x axis, in radians.
        shift: Offset of the centre within its pixel (x, y), 0 … 1.
        traits: float32 [TRAITS], what tells it from others of its class.
    """

    label: int
    length: float
    ratio: float
    angle: float
    shift: tuple[float, float]
    traits: ndarray


def trace(thing: Thing) -> Outline:
    """Rasterises a thing's outline."""
    reach = 1 + 0.06 * thing.length / sqrt(thing.ratio)
    half_length, half_width = thing.length / 2, thing.length / 2 / thing.ratio
    along, across = cos(thing.angle), sin(thing.angle)
    # A capsule contains every other class of its length and width, so its extent bounds them all.
    reach_x = ceil((half_length - half_width) * abs(along) + half_width + reach)
    reach_y = ceil((half_length - half_width) * abs(across) + half_width + reach)
    x = np.arange(-reach_x, reach_x + 1, dtype=np.float32) + (0.5 - thing.shift[0])
    y = np.arange(-reach_y, reach_y + 1, dtype=np.float32)[:, None] + (0.5 - thing.shift[1])
    u = x * (along / half_length) + y * (across / half_length)  # [h, w]
    v = y * (along / half_width) - x * (across / half_width)  # [h, w]
    depth = CLASSES[thing.label].outline(u, v, thing.ratio, thing.traits)
    return Outline(u, v, depth, -reach_x, -reach_y, thing.ratio, 1 / half_width, reach)


# --- helpers -----------------------------------------------------------------------------------------------------


def _line(distance: ndarray, half_width: float, pixel: float) -> ndarray:
    """Returns 1 within `half_width` of a curve and 0 beyond, with an edge one pixel soft."""
    return np.clip(0.5 + (half_width - distance) / pixel, 0, 1)


def _nearest(x: ndarray) -> ndarray:
    """Returns the distance to the nearest whole number."""
    return np.abs(x - np.rint(x))


def _fold(u: ndarray, v: ndarray, arms: int) -> Pair:
    """Returns polar coordinates folded onto one of `arms` sectors: radius, and angle from the sector's axis."""
    sector = 2 * pi / arms
    angle = np.arctan2(v, u)
    return np.sqrt(u * u + v * v), angle - sector * np.rint(angle / sector)


# --- leaf: two pointed ends, a midrib and side veins -------------------------------------------------------------


def _leaf(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    skew = 0.4 * traits[0] - 0.2  # the widest place lies off the middle
    return np.abs(v) - (1 - u * u) * (1 - skew * u) / (1 + 0.5 * skew * skew)


def _veins(outline: Outline, traits: ndarray) -> Pair:
    across = np.abs(outline.v)
    count = 2.5 + 2 * traits[1]
    side = _nearest(count * (outline.u - 0.55 * across)) / count
    lines = np.maximum(_line(side, 0.04, outline.pixel), _line(across, 0.06, outline.pixel))
    fold = np.where(outline.v > 0, np.float32(1.08), np.float32(0.9))  # one half catches less light
    return 0.75 * lines, fold


# --- capsule: two halves of different colour ---------------------------------------------------------------------


def _capsule(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    beyond = np.maximum(np.abs(u) * ratio - (ratio - 1), 0)
    return np.sqrt(beyond * beyond + v * v) - 1


def _halves(outline: Outline, traits: ndarray) -> Pair:
    along = (outline.u - (0.3 * traits[1] - 0.15)) * outline.ratio
    half = _line(-along, 0, outline.pixel)
    seam = _line(np.abs(along - 0.06), 0.07, outline.pixel)
    imprint = _line(np.abs(along + 0.35), 0.08, outline.pixel) * _line(np.abs(outline.v), 0.5, outline.pixel)
    return np.maximum(half, 0.55 * imprint), 1 - 0.3 * seam


# --- starfish: five tapering arms with a row of dots -------------------------------------------------------------

ARMS = 5


def _starfish(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    radius, angle = _fold(u, v, ARMS)
    along, across = radius * np.cos(angle), np.abs(radius * np.sin(angle))
    tip = 0.12 + 0.06 * traits[0]
    beyond = np.maximum(along - (1 - tip), 0)
    taper = np.maximum(1 - along, 0)
    thickness = tip + 0.3 * taper * taper
    return np.sqrt(across * across + beyond * beyond) / thickness - 1


def _dots(outline: Outline, traits: ndarray) -> Pair:
    radius, angle = _fold(outline.u, outline.v, ARMS)
    spacing = 0.2 + 0.05 * traits[1]
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    beside = _nearest(along / spacing) * spacing
    dots = _line(np.sqrt(beside * beside + across * across), 0.065, outline.pixel)
    return dots, 0.85 + 0.3 * radius


# --- donut: a ring with icing and sprinkles ----------------------------------------------------------------------

RING, TUBE = 0.68, 0.32  # radius of the ring's middle and half its thickness


def _donut(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    return np.abs(np.sqrt(u * u + v * v) - RING) / TUBE - 1


def _sprinkles(outline: Outline, traits: ndarray) -> Pair:
    angle = np.arctan2(outline.v, outline.u)
    offset = (np.sqrt(outline.u * outline.u + outline.v * outline.v) - RING) / TUBE
    drip = np.sin(angle * np.rint(4 + 4 * traits[0]) + 6.3 * traits[1])
    icing = _line(np.abs(offset) * TUBE, (0.68 + 0.14 * drip) * TUBE, outline.pixel)
    turn = angle * (14 / (2 * pi)) + 0.8 * np.sin(2 * offset + 9 * traits[2])
    row = np.where(np.rint(turn) % 2 == 0, np.float32(0.28), np.float32(-0.28))
    gap = np.hypot(_nearest(turn) * 0.3, np.maximum(np.abs(offset - row) - 0.16, 0) * TUBE)
    sprinkles = _line(gap, 0.04, outline.pixel) * icing
    return icing * (1 - 0.55 * sprinkles), 1 + 0.25 * sprinkles


# --- gem: a cut stone of flat facets -----------------------------------------------------------------------------

FACETS = 8


def _gem(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    radius, angle = _fold(u, v, FACETS)  # vertices lie at the middle of a sector, edges between two
    return radius * np.cos(np.abs(angle) - pi / FACETS) / cos(pi / FACETS) - 1


def _facets(outline: Outline, traits: ndarray) -> Pair:
    angle = np.arctan2(outline.v, outline.u) * (FACETS / (2 * pi))
    beside = 2 * np.abs(angle - np.rint(angle))  # 0 at a vertex, 1 at the middle of an edge
    table = _line(outline.depth + 1, 0.5 + 0.1 * traits[0], outline.pixel)
    # Kites point from the table to the vertices, triangles from the edges to the table; 2.4 rad: neighbours differ.
    kite = outline.depth + 0.45 * beside < -0.02
    number = np.where(kite, np.rint(angle) % FACETS, np.floor(angle) % FACETS + np.float32(0.5))
    tone = np.sin(number * 2.4 + 6 * traits[1])
    glint = 0.5 * _line(np.abs(outline.u + outline.v - 0.4), 0.09, outline.pixel)
    return 0.3 * (1 - table) + table * glint, 1 + (1 - table) * 0.32 * tone


# --- shell: a fan of ribs with bands of growth -------------------------------------------------------------------


OPENING = 1.0  # rad, between the middle of the fan and its flank


def _ribs(traits: ndarray) -> float:
    return 2 * pi / (0.26 + 0.1 * traits[0])


def _shell(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    ripple = np.cos(np.arctan2(v, u + 1) * _ribs(traits)) - 1
    rim = np.sqrt(u * u + v * v) / (1 + 0.025 * np.maximum(u + 1, 0) * ripple) - 1  # none at the hinge
    flank = np.abs(v) * cos(OPENING) - (u + 1) * sin(OPENING)
    return np.maximum(rim, flank)


def _bands(outline: Outline, traits: ndarray) -> Pair:
    hinge = outline.u + 1
    radius, angle = np.sqrt(hinge * hinge + outline.v * outline.v), np.arctan2(outline.v, hinge)
    growth = np.sin(radius * (5 + 5 * traits[1]) + 6 * traits[2])
    ridge = np.cos(angle * _ribs(traits))
    return 0.4 + 0.4 * growth, 0.95 + 0.2 * ridge


# --- all of them -------------------------------------------------------------------------------------------------


def plain(outline: Outline, traits: ndarray) -> Pair:
    """The texture of what has none."""
    return np.zeros((1, 1), dtype=np.float32), np.ones((1, 1), dtype=np.float32)


Texture = Callable[[Outline, ndarray], Pair]


class ShapeClass(NamedTuple):
    """A class of objects.

    Attributes:
        name: What it is called.
        outline: (u, v, ratio, traits) → depth; see `Outline`.
        texture: (outline, traits) → share of the accent colour 0 … 1, and brightness about 1, each [h, w].
    """

    name: str
    outline: Callable[[ndarray, ndarray, float, ndarray], ndarray]
    texture: Texture


CLASSES = (
    ShapeClass("leaf", _leaf, _veins),
    ShapeClass("capsule", _capsule, _halves),
    ShapeClass("starfish", _starfish, _dots),
    ShapeClass("donut", _donut, _sprinkles),
    ShapeClass("gem", _gem, _facets),
    ShapeClass("shell", _shell, _bands),
)
CLASS_NAMES = tuple(kind.name for kind in CLASSES)

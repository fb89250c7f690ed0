"""The classes of objects: their outlines and textures.

`core.scenes.outline` describes the coordinates (u, v) and the outline; a texture gives for each point the share of the
accent colour and the brightness. Nothing here is random: objects of a class vary by `traits`, numbers in [0, 1).
"""

from collections.abc import Callable
from math import ceil, cos, pi, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from core.scenes.outline import Outline, Pair, SceneObject, distance_to_integer, draw_line, fold_sectors

# --- leaf: two pointed ends, a midrib and side veins -------------------------------------------------------------


def _leaf(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    skew = 0.4 * traits[0] - 0.2  # the widest part is off the middle
    return np.abs(v) - (1 - u * u) * (1 - skew * u) / (1 + 0.5 * skew * skew)


def _veins(outline: Outline, traits: ndarray) -> Pair:
    across = np.abs(outline.v)
    count = 2.5 + 2 * traits[1]
    side = distance_to_integer(count * (outline.u - 0.55 * across)) / count
    lines = np.maximum(draw_line(side, 0.04, outline.pixel), draw_line(across, 0.06, outline.pixel))
    fold = np.where(outline.v > 0, np.float32(1.08), np.float32(0.9))  # one half reflects less light
    return 0.75 * lines, fold


# --- capsule: two halves of different colour ---------------------------------------------------------------------


def _capsule(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    beyond = np.maximum(np.abs(u) * ratio - (ratio - 1), 0)
    return np.sqrt(beyond * beyond + v * v) - 1


def _halves(outline: Outline, traits: ndarray) -> Pair:
    along = (outline.u - (0.3 * traits[1] - 0.15)) * outline.ratio
    half = draw_line(-along, 0, outline.pixel)
    seam = draw_line(np.abs(along - 0.06), 0.07, outline.pixel)
    imprint = draw_line(np.abs(along + 0.35), 0.08, outline.pixel) * draw_line(np.abs(outline.v), 0.5, outline.pixel)
    return np.maximum(half, 0.55 * imprint), 1 - 0.3 * seam


# --- starfish: five tapering arms with a row of dots -------------------------------------------------------------

ARMS = 5


def _starfish(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    radius, angle = fold_sectors(u, v, ARMS)
    along, across = radius * np.cos(angle), np.abs(radius * np.sin(angle))
    tip = 0.12 + 0.06 * traits[0]
    beyond = np.maximum(along - (1 - tip), 0)
    taper = np.maximum(1 - along, 0)
    thickness = tip + 0.3 * taper * taper
    return np.sqrt(across * across + beyond * beyond) / thickness - 1


def _dots(outline: Outline, traits: ndarray) -> Pair:
    radius, angle = fold_sectors(outline.u, outline.v, ARMS)
    spacing = 0.2 + 0.05 * traits[1]
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    beside = distance_to_integer(along / spacing) * spacing
    dots = draw_line(np.sqrt(beside * beside + across * across), 0.065, outline.pixel)
    return dots, 0.85 + 0.3 * radius


# --- donut: a ring with icing and sprinkles ----------------------------------------------------------------------

RING, TUBE = 0.68, 0.32  # radius of the ring's middle and half its thickness


def _donut(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    return np.abs(np.sqrt(u * u + v * v) - RING) / TUBE - 1


def _sprinkles(outline: Outline, traits: ndarray) -> Pair:
    angle = np.arctan2(outline.v, outline.u)
    offset = (np.sqrt(outline.u * outline.u + outline.v * outline.v) - RING) / TUBE
    drip = np.sin(angle * np.rint(4 + 4 * traits[0]) + 6.3 * traits[1])
    icing = draw_line(np.abs(offset) * TUBE, (0.68 + 0.14 * drip) * TUBE, outline.pixel)
    turn = angle * (14 / (2 * pi)) + 0.8 * np.sin(2 * offset + 9 * traits[2])
    row = np.where(np.rint(turn) % 2 == 0, np.float32(0.28), np.float32(-0.28))
    gap = np.hypot(distance_to_integer(turn) * 0.3, np.maximum(np.abs(offset - row) - 0.16, 0) * TUBE)
    sprinkles = draw_line(gap, 0.04, outline.pixel) * icing
    return icing * (1 - 0.55 * sprinkles), 1 + 0.25 * sprinkles


# --- gem: a cut stone of flat facets -----------------------------------------------------------------------------

FACETS = 8


def _gem(u: ndarray, v: ndarray, ratio: float, traits: ndarray) -> ndarray:
    radius, angle = fold_sectors(u, v, FACETS)  # a vertex is at the middle of a sector, an edge between two
    return radius * np.cos(np.abs(angle) - pi / FACETS) / cos(pi / FACETS) - 1


def _facets(outline: Outline, traits: ndarray) -> Pair:
    angle = np.arctan2(outline.v, outline.u) * (FACETS / (2 * pi))
    beside = 2 * np.abs(angle - np.rint(angle))  # 0 at a vertex, 1 at the middle of an edge
    table = draw_line(outline.depth + 1, 0.5 + 0.1 * traits[0], outline.pixel)
    # Kites point from the table to the vertices, triangles from the edges to the table; neighbours differ by 2.4 rad.
    kite = outline.depth + 0.45 * beside < -0.02
    number = np.where(kite, np.rint(angle) % FACETS, np.floor(angle) % FACETS + np.float32(0.5))
    tone = np.sin(number * 2.4 + 6 * traits[1])
    glint = 0.5 * draw_line(np.abs(outline.u + outline.v - 0.4), 0.09, outline.pixel)
    return 0.3 * (1 - table) + table * glint, 1 + (1 - table) * 0.32 * tone


# --- shell: a fan of ribs with bands of growth -------------------------------------------------------------------


OPENING = 1.0  # rad, between the axis of the fan and its flank


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


# --- all classes -------------------------------------------------------------------------------------------------


def plain(outline: Outline, traits: ndarray) -> Pair:
    """Returns the texture of an object without one: no accent colour, even brightness."""
    return np.zeros((1, 1), dtype=np.float32), np.ones((1, 1), dtype=np.float32)


Texture = Callable[[Outline, ndarray], Pair]


class ShapeClass(NamedTuple):
    """A class of objects.

    Attributes:
        name: Its name.
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


def trace(item: SceneObject) -> Outline:
    """Rasterises the outline of an object."""
    reach = 1 + 0.06 * item.length / sqrt(item.ratio)
    half_length, half_width = item.length / 2, item.length / 2 / item.ratio
    along, across = cos(item.angle), sin(item.angle)
    # A capsule contains the objects of all other classes with its length and width, so its extent bounds them.
    reach_x = ceil((half_length - half_width) * abs(along) + half_width + reach)
    reach_y = ceil((half_length - half_width) * abs(across) + half_width + reach)
    x = np.arange(-reach_x, reach_x + 1, dtype=np.float32) + (0.5 - item.shift[0])
    y = np.arange(-reach_y, reach_y + 1, dtype=np.float32)[:, None] + (0.5 - item.shift[1])
    u = x * (along / half_length) + y * (across / half_length)  # [h, w]
    v = y * (along / half_width) - x * (across / half_width)  # [h, w]
    depth = CLASSES[item.label].outline(u, v, item.ratio, item.traits)
    return Outline(u, v, depth, -reach_x, -reach_y, item.ratio, 1 / half_width, reach)

"""Painting of objects: shaded bodies, shadows and prints on the surface."""

from typing import NamedTuple

import numpy as np
from numpy import ndarray

from core.scenes.colours import Skin
from core.scenes.outline import Outline

SHADOW = 0.42  # darkness of a full shadow
AMBIENT = 0.62  # light on the side that faces away from the lamp

Window = tuple[slice, ...]  # an index into an array


class Relief(NamedTuple):
    """The signed distance to an outline in pixels and its direction.

    Attributes:
        distance: float32 [h, w], signed distance to the edge in pixels, negative inside; first-order approximation.
        x: float32 [h, w], x of the unit vector that points outwards.
        y: float32 [h, w], y of that vector.
    """

    distance: ndarray
    x: ndarray
    y: ndarray


def compute_relief(outline: Outline) -> Relief:
    """Converts an outline's depth to a distance in pixels by dividing it by the length of its gradient."""
    x = _slope(outline.depth)
    y = _slope(outline.depth.T).T
    scale = 1 / np.sqrt(x * x + y * y + np.float32(1e-12))
    return Relief(outline.depth * scale, x * scale, y * scale)


def _slope(depth: ndarray) -> ndarray:
    """Returns central differences along each row, float32 [h, w]; as `np.gradient`, but twice as fast."""
    slope = np.empty_like(depth)
    slope[:, 1:-1] = (depth[:, 2:] - depth[:, :-2]) * np.float32(0.5)
    slope[:, 0] = depth[:, 1] - depth[:, 0]
    slope[:, -1] = depth[:, -1] - depth[:, -2]
    return slope


def paint_solid(canvas: ndarray, outline: Outline, at: tuple[int, int], light: ndarray, skin: Skin) -> None:
    """Paints an object and its shadow into the canvas [3, S, S] in place, centred in pixel `at` (x, y)."""
    edge = compute_relief(outline)
    cast_shadow(canvas, outline, edge, at, light)
    paint_body(canvas, outline, edge, at, light, skin)


def paint_flat(canvas: ndarray, outline: Outline, at: tuple[int, int], colour: ndarray, opacity: float) -> None:
    """Paints an outline in one colour, as a print on the surface, into the canvas [3, S, S] in place."""
    window, patch = _clip_to_canvas(canvas, outline, at)
    alpha = np.clip(0.5 - compute_relief(outline).distance[patch], 0, 1) * np.float32(opacity)
    canvas[window] += alpha * (colour[:, None, None] - canvas[window])


def cast_shadow(canvas: ndarray, outline: Outline, edge: Relief, at: tuple[int, int], light: ndarray) -> None:
    """Darkens the canvas [3, S, S] in place beside an object centred in pixel `at` (x, y)."""
    thrown = 1.3 * outline.reach
    x, y = at[0] - round(float(light[0]) * thrown), at[1] - round(float(light[1]) * thrown)
    window, patch = _clip_to_canvas(canvas, outline, (x, y))
    near = np.clip(0.5 - edge.distance[patch] * np.float32(0.5 / outline.reach), 0, 1)
    canvas[window] *= 1 - np.float32(SHADOW) * near * near * (3 - 2 * near)


def paint_body(
    canvas: ndarray, outline: Outline, edge: Relief, at: tuple[int, int], light: ndarray, skin: Skin
) -> None:
    """Paints an object without its shadow into the canvas [3, S, S] in place, centred in pixel `at` (x, y)."""
    window, patch = _clip_to_canvas(canvas, outline, at)
    alpha = np.clip(0.5 - edge.distance[patch], 0, 1)
    mix, brightness = skin.texture(outline, skin.traits)
    shade, highlight = _shade(outline, edge, light)
    shade *= brightness
    highlight *= np.float32(skin.gloss)
    # Channel by channel, so that the arrays fit in the cache.
    for plane, base, accent in zip(canvas[window], skin.base, skin.accent, strict=True):
        colour = (base + (accent - base) * mix) * shade + highlight  # [h, w]
        plane += alpha * (colour[patch] - plane)


def _shade(outline: Outline, edge: Relief, light: ndarray) -> tuple[ndarray, ndarray]:
    """Shades the object as a dome: returns brightness (1 where it faces the camera) and highlight, each [h, w]."""
    tilt = np.clip(outline.depth + 1, 0, 1)  # flat in the middle, steep at the edge
    level = np.sqrt(1 - tilt * tilt)
    facing = tilt * (edge.x * light[0] + edge.y * light[1])
    diffuse = np.maximum(facing + level * light[2], 0)
    # The direction half way between lamp and camera, for Blinn's highlight.
    half = np.float32(1 / np.sqrt(2 + 2 * light[2]))
    highlight = np.maximum((facing + level * (light[2] + 1)) * half, 0)
    for _ in range(5):
        highlight = highlight * highlight  # to the 32nd power
    return AMBIENT + np.float32((1 - AMBIENT) / light[2]) * diffuse, highlight


def _clip_to_canvas(canvas: ndarray, outline: Outline, at: tuple[int, int]) -> tuple[Window, Window]:
    """Returns the window of the canvas that a patch covers, and the part of the patch that is on the canvas."""
    height, width = outline.depth.shape
    left, top = at[0] + outline.left, at[1] + outline.top
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = max(min(left + width, canvas.shape[2]), x1), max(min(top + height, canvas.shape[1]), y1)
    return np.s_[:, y1:y2, x1:x2], np.s_[y1 - top : y2 - top, x1 - left : x2 - left]

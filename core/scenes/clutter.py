"""Clutter of the scenes: distractors that resemble the objects but are not, the hard negatives."""

import numpy as np
from numpy import ndarray

from core.scenes.colours import SKIN_NUMBERS, Setting, draw_skin
from core.scenes.outline import TRAITS, Outline, SceneObject
from core.scenes.paint import paint_flat, paint_solid
from core.scenes.shapes import CLASS_NAMES, CLASSES, Texture, plain, trace

MOST = 25  # distractors of an image at full clutter
SIZES = (0.04, 0.3)  # shortest and longest, as a fraction of the image's side
IMPOSTOR = 0.1  # shortest impostor: the texture of a smaller one is too small to tell it from an object
RATIO = 2.2  # largest length over width
TWIG_RATIO = 16


def paint_clutter(canvas: ndarray, setting: Setting, amount: float, rng: np.random.Generator) -> None:
    """Paints distractors into the canvas, float32 [3, S, S], in place; `amount` is 0 … 1."""
    for _ in range(round(MOST * amount)):
        DISTRACTORS[rng.integers(len(DISTRACTORS))](canvas, setting, rng)


def _draw_object(canvas: ndarray, rng: np.random.Generator, shortest: float = SIZES[0]) -> SceneObject:
    size = canvas.shape[1] * shortest * (SIZES[1] / shortest) ** rng.random()
    label = int(rng.integers(len(CLASSES)))
    return SceneObject(label, size, RATIO ** rng.random(), rng.uniform(0, 2 * np.pi), (0.5, 0.5), _draw_traits(rng))


def _draw_traits(rng: np.random.Generator) -> ndarray:
    return rng.random(TRAITS, dtype=np.float32)


def _paint_solid(
    canvas: ndarray, setting: Setting, rng: np.random.Generator, outline: Outline, texture: Texture
) -> None:
    """Paints a solid body at a random position."""
    skin = draw_skin(rng.random(SKIN_NUMBERS), setting, texture, _draw_traits(rng))
    paint_solid(canvas, outline, _draw_position(canvas, rng), setting.light, skin)


def _paint_flat(canvas: ndarray, setting: Setting, rng: np.random.Generator, outline: Outline) -> None:
    """Paints a pale print at a random position."""
    skin = draw_skin(rng.random(SKIN_NUMBERS), setting, plain, _draw_traits(rng))
    paint_flat(canvas, outline, _draw_position(canvas, rng), skin.base, rng.uniform(0.25, 0.75))


def _draw_position(canvas: ndarray, rng: np.random.Generator) -> tuple[int, int]:
    x, y = rng.integers(canvas.shape[1], size=2).tolist()
    return x, y


def _cut(outline: Outline, rng: np.random.Generator, keep: tuple[float, float]) -> Outline:
    """Cuts an outline along a line with a distance in `keep` from its centre, in units of its half-length."""
    turn, distance = rng.uniform(0, 2 * np.pi), rng.uniform(*keep)
    beside = np.float32(distance) - outline.u * np.float32(np.cos(turn)) - outline.v * np.float32(np.sin(turn))
    return outline._replace(depth=np.maximum(outline.depth, 2 * beside))


def _paint_fragment(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Paints a fragment of an object, less than half of it."""
    item = _draw_object(canvas, rng)
    _paint_solid(canvas, setting, rng, _cut(trace(item), rng, (0.25, 0.45)), CLASSES[item.label].texture)


def _paint_print(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Paints the silhouette of a class as a print on the surface."""
    _paint_flat(canvas, setting, rng, trace(_draw_object(canvas, rng)))


def _paint_impostor(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Paints the silhouette of a class with the texture of another."""
    item = _draw_object(canvas, rng, IMPOSTOR)
    other = CLASSES[(item.label + rng.integers(1, len(CLASSES))) % len(CLASSES)]
    _paint_solid(canvas, setting, rng, trace(item), other.texture)


def _paint_half_outline(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Paints a part of the outline of a class, like a pencil drawing."""
    outline = trace(_draw_object(canvas, rng))
    stroke = outline._replace(depth=np.abs(outline.depth + 0.12) - np.float32(max(0.06, outline.pixel)))
    _paint_flat(canvas, setting, rng, _cut(stroke, rng, (-0.3, 0.3)))


def _paint_pebble(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Paints an irregular round body without a texture."""
    outline = trace(_draw_object(canvas, rng))
    angle = np.arctan2(outline.v, outline.u)
    egg, wobble = (np.sin(n * angle + np.float32(rng.uniform(0, 2 * np.pi))) for n in (2, 3))
    radius = np.sqrt(outline.u * outline.u + outline.v * outline.v)
    depth = radius / (0.88 + 0.07 * egg + 0.05 * wobble) - 1
    _paint_solid(canvas, setting, rng, outline._replace(depth=depth), plain)


def _paint_twig(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Paints a thin straight stick."""
    item = _draw_object(canvas, rng)._replace(label=CLASS_NAMES.index("capsule"), ratio=TWIG_RATIO)
    _paint_solid(canvas, setting, rng, trace(item), plain)


DISTRACTORS = (_paint_fragment, _paint_print, _paint_impostor, _paint_half_outline, _paint_pebble, _paint_twig)

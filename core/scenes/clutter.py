"""Clutter of the scenes: things that look a little like the objects and are none, the hard negatives."""

import numpy as np
from numpy import ndarray

from core.scenes.paint import SKIN_NUMBERS, Setting, draw_skin, paint_flat, paint_solid
from core.scenes.shapes import CLASS_NAMES, CLASSES, TRAITS, Outline, Texture, Thing, plain, trace

MOST = 25  # distractors of a picture full of clutter
SIZES = (0.04, 0.3)  # shortest and longest, as a share of the picture's side
IMPOSTOR = 0.1  # shortest impostor: a smaller one shows too little of its texture to be told from the real thing
RATIO = 2.2  # largest length over width
TWIG_RATIO = 16


def strew(canvas: ndarray, setting: Setting, amount: float, rng: np.random.Generator) -> None:
    """Paints distractors into the canvas, float32 [3, S, S], in place; `amount` is 0 … 1."""
    for _ in range(round(MOST * amount)):
        DISTRACTORS[rng.integers(len(DISTRACTORS))](canvas, setting, rng)


def _thing(canvas: ndarray, rng: np.random.Generator, shortest: float = SIZES[0]) -> Thing:
    size = canvas.shape[1] * shortest * (SIZES[1] / shortest) ** rng.random()
    label = int(rng.integers(len(CLASSES)))
    return Thing(label, size, RATIO ** rng.random(), rng.uniform(0, 2 * np.pi), (0.5, 0.5), _traits(rng))


def _traits(rng: np.random.Generator) -> ndarray:
    return rng.random(TRAITS, dtype=np.float32)


def _solid(canvas: ndarray, setting: Setting, rng: np.random.Generator, outline: Outline, texture: Texture) -> None:
    """Paints a body anywhere."""
    skin = draw_skin(rng.random(SKIN_NUMBERS), setting, texture, _traits(rng))
    paint_solid(canvas, outline, _anywhere(canvas, rng), setting.light, skin)


def _flat(canvas: ndarray, setting: Setting, rng: np.random.Generator, outline: Outline) -> None:
    """Paints a pale print anywhere."""
    skin = draw_skin(rng.random(SKIN_NUMBERS), setting, plain, _traits(rng))
    paint_flat(canvas, outline, _anywhere(canvas, rng), skin.base, rng.uniform(0.25, 0.75))


def _anywhere(canvas: ndarray, rng: np.random.Generator) -> tuple[int, int]:
    x, y = rng.integers(canvas.shape[1], size=2).tolist()
    return x, y


def _cut(outline: Outline, rng: np.random.Generator, keep: tuple[float, float]) -> Outline:
    """Cuts an outline along a line that lies `keep` from its middle, in units of its half-length."""
    turn, place = rng.uniform(0, 2 * np.pi), rng.uniform(*keep)
    beside = np.float32(place) - outline.u * np.float32(np.cos(turn)) - outline.v * np.float32(np.sin(turn))
    return outline._replace(depth=np.maximum(outline.depth, 2 * beside))


def _fragment(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """A broken-off piece of an object, less than half of it."""
    thing = _thing(canvas, rng)
    _solid(canvas, setting, rng, _cut(trace(thing), rng, (0.25, 0.45)), CLASSES[thing.label].texture)


def _print(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """A class's silhouette, printed on the surface."""
    _flat(canvas, setting, rng, trace(_thing(canvas, rng)))


def _impostor(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """A class's silhouette in the texture of another."""
    thing = _thing(canvas, rng, IMPOSTOR)
    other = CLASSES[(thing.label + rng.integers(1, len(CLASSES))) % len(CLASSES)]
    _solid(canvas, setting, rng, trace(thing), other.texture)


def _half_outline(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """Part of a class's outline, as drawn with a pencil."""
    outline = trace(_thing(canvas, rng))
    stroke = outline._replace(depth=np.abs(outline.depth + 0.12) - np.float32(max(0.06, outline.pixel)))
    _flat(canvas, setting, rng, _cut(stroke, rng, (-0.3, 0.3)))


def _pebble(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """A wobbly body without any texture."""
    outline = trace(_thing(canvas, rng))
    angle = np.arctan2(outline.v, outline.u)
    egg, wobble = (np.sin(n * angle + np.float32(rng.uniform(0, 2 * np.pi))) for n in (2, 3))
    radius = np.sqrt(outline.u * outline.u + outline.v * outline.v)
    depth = radius / (0.88 + 0.07 * egg + 0.05 * wobble) - 1
    _solid(canvas, setting, rng, outline._replace(depth=depth), plain)


def _twig(canvas: ndarray, setting: Setting, rng: np.random.Generator) -> None:
    """A thin straight stick."""
    thing = _thing(canvas, rng)._replace(label=CLASS_NAMES.index("capsule"), ratio=TWIG_RATIO)
    _solid(canvas, setting, rng, trace(thing), plain)


DISTRACTORS = (_fragment, _print, _impostor, _half_outline, _pebble, _twig)

"""The procedural data set: rendered still lifes with adjustable content and boxes that are exact to the pixel.

An image is a pure function of the settings and its index. Every part of it has a separate stream of random numbers, so
that changing one setting changes as little as possible: more noise does not move the objects, and one object more does
not change the appearance of the others.
"""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy import ndarray

from core.config import Scenes
from core.scenes.clutter import paint_clutter
from core.scenes.colours import SKIN_NUMBERS, draw_setting, draw_skin
from core.scenes.outline import TRAITS, Outline, SceneObject
from core.scenes.paint import paint_solid
from core.scenes.shapes import CLASS_NAMES, CLASSES, trace
from core.scenes.surfaces import paint_surface
from core.structures import Sample

__all__ = [
    "CLASS_NAMES", "MIN_LENGTH", "MIN_VISIBLE", "MIN_WIDTH", "Placed", "expected_objects", "lay_out", "lay_out_visible",
    "rasterise", "render_scene",
]  # fmt: skip

MIN_VISIBLE = 0.25  # objects with a smaller visible fraction are not part of the ground truth
MIN_LENGTH = 4  # px; a shorter object could not be distinguished from noise
MIN_WIDTH = 3  # px; small objects are less elongated instead of thinner
TRIES = 40  # positions tried for an object before it is left out
RAREST = 0.01  # frequency of the last class relative to the first at full imbalance
OBJECT_NUMBERS = 6  # random numbers of an object besides its traits: class, length, ratio, angle and shift
GRAIN = 0.14  # standard deviation of the strongest noise, of 0 … 1


class Stream(IntEnum):
    """The streams of random numbers of an image."""

    LAYOUT = 0
    ORDER = 1
    POSITION = 2
    SETTING = 3
    SURFACE = 4
    CLUTTER = 5
    SKIN = 6
    NOISE = 7


class Placed(NamedTuple):
    """An object at its position in a scene.

    Attributes:
        item: The object.
        outline: Its outline.
        at: Pixel of its centre (x, y).
        number: Its number among all objects drawn for the image, including those that found no position.
        box: Bounding box of its visible pixels, xyxy; the right and lower edges are one past the last pixel.
        visible: Fraction of its pixels that no later object covers.
    """

    item: SceneObject
    outline: Outline
    at: tuple[int, int]
    number: int
    box: tuple[int, int, int, int]
    visible: float


def render_scene(scenes: Scenes, index: int) -> Sample:
    """Renders image `index`; objects with a visible fraction of at least `MIN_VISIBLE` are its ground truth."""
    setting = draw_setting(_make_generator(scenes, index, Stream.SETTING))
    canvas = paint_surface(setting, scenes.image_size, _make_generator(scenes, index, Stream.SURFACE))
    paint_clutter(canvas, setting, scenes.clutter, _make_generator(scenes, index, Stream.CLUTTER))
    skins = _make_generator(scenes, index, Stream.SKIN).random((scenes.max_objects, SKIN_NUMBERS))
    layout = lay_out(scenes, index)
    for placed in layout:
        item = placed.item
        skin = draw_skin(skins[placed.number], setting, CLASSES[item.label].texture, item.traits)
        paint_solid(canvas, placed.outline, placed.at, setting.light, skin)
    # As on film, the grain is grey: all channels share it.
    grain = _make_generator(scenes, index, Stream.NOISE).standard_normal(canvas.shape[1:], dtype=np.float32)
    canvas += np.float32(GRAIN * scenes.noise) * grain
    return _make_sample(canvas, _drop_hidden(layout), index)


def lay_out_visible(scenes: Scenes, index: int) -> list[Placed]:
    """Returns the objects of image `index` that are its ground truth, in the order of its labels."""
    return _drop_hidden(lay_out(scenes, index))


def _drop_hidden(layout: list[Placed]) -> list[Placed]:
    return [placed for placed in layout if placed.visible >= MIN_VISIBLE]


def expected_objects(scenes: Scenes) -> ndarray:
    """Returns the number of objects of each class that are drawn for an image on average, float64 [K].

    The few that find no room, or are hidden by others, are counted.
    """
    per_image = (1 - scenes.empty_share) * (scenes.min_objects + scenes.max_objects) / 2
    cumulative = _class_weights(scenes.imbalance)
    shares: ndarray = np.diff(cumulative, prepend=0.0) / cumulative[-1]
    return per_image * shares


def _make_sample(canvas: ndarray, objects: list[Placed], index: int) -> Sample:
    canvas *= 255
    canvas += 0.5  # the conversion to integers truncates, so this rounds
    return Sample(
        image=torch.from_numpy(np.clip(canvas, 0, 255, out=canvas).astype(np.uint8)),  # [3, S, S]
        boxes=torch.tensor([placed.box for placed in objects], dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor([placed.item.label for placed in objects], dtype=torch.int64),
        crowd=torch.zeros(len(objects), dtype=torch.bool),
        image_id=index,
    )


def rasterise(placed: Placed, size: int) -> ndarray:
    """Rasterises one object alone: the pixels that it covers at least by half, bool [size, size]."""
    alone = np.zeros((size, size), dtype=bool)
    rows, columns = np.nonzero(placed.outline.mask)
    alone[rows + placed.outline.top + placed.at[1], columns + placed.outline.left + placed.at[0]] = True
    return alone


def lay_out(scenes: Scenes, index: int) -> list[Placed]:
    """Places the objects of image `index`, from bottom to top; objects that find no position are left out."""
    rng = _make_generator(scenes, index, Stream.LAYOUT)
    if rng.random() < scenes.empty_share:
        return []
    count = rng.integers(scenes.min_objects, scenes.max_objects, endpoint=True)
    items = [_draw_object(scenes, numbers) for numbers in rng.random((count, OBJECT_NUMBERS + TRAITS))]
    positions = _make_generator(scenes, index, Stream.POSITION).random((count, 1 + TRIES, 2))
    lifts = _make_generator(scenes, index, Stream.ORDER).uniform(0.5, 1.5, count)
    table = _Table(scenes.image_size, scenes.overlap)
    # Large objects first, because they would find no room between small ones; but not strictly, so that each may be
    # on top of the other.
    for number in sorted(range(count), key=lambda number: -items[number].length * lifts[number]):
        table.place(items[number], number, positions[number])
    return table.visible_objects()


def _draw_object(scenes: Scenes, numbers: ndarray) -> SceneObject:
    kind, side, stretch, turn, shift_x, shift_y = numbers[:OBJECT_NUMBERS].tolist()
    length = scenes.image_size * scenes.min_size * (scenes.max_size / scenes.min_size) ** side
    length = max(length, MIN_LENGTH)
    ratio = min(scenes.elongation**stretch, length / MIN_WIDTH)
    weights = _class_weights(scenes.imbalance)
    label = int(np.searchsorted(weights, kind * weights[-1], side="right"))
    traits = numbers[OBJECT_NUMBERS:].astype(np.float32)
    return SceneObject(label, length, ratio, 2 * np.pi * turn, (shift_x, shift_y), traits)


@lru_cache(maxsize=16)
def _class_weights(imbalance: float) -> ndarray:
    """Returns the cumulative frequencies of the classes, float64 [K]; the last class is the rarest."""
    return np.cumsum(RAREST ** (imbalance * np.linspace(0, 1, len(CLASS_NAMES))))


def _make_generator(scenes: Scenes, index: int, stream: Stream) -> np.random.Generator:
    return np.random.default_rng((scenes.seed, index, stream))


class _Table:
    """The table on which the objects are placed; records which object each pixel shows."""

    def __init__(self, size: int, overlap: float):
        self.overlap = overlap
        self.owner = np.zeros((size, size), dtype=np.int16)  # 0 for none, n for the n-th placed object
        self.placed: list[Placed] = []
        self.areas: list[int] = []  # pixels of each object
        self.visible: list[int] = []  # pixels of each object that are not covered

    def place(self, item: SceneObject, number: int, numbers: ndarray) -> None:
        """Places an object where it covers no other too much, if one of the tried positions allows it.

        The higher the overlap, the more objects are twins: close to an earlier object and of its class.

        Args:
            item: The object to be placed.
            number: Its number among the objects of the image.
            numbers: Random numbers in [0, 1), float [1 + TRIES, 2]: whether it is a twin and of which object, then the
                positions to try.
        """
        (twinned, original), tries = numbers[0], numbers[1:]
        twin = None
        if self.placed and twinned < self.overlap / 2:
            twin = self.placed[int(original * len(self.placed))]
            item = item._replace(label=twin.item.label)
        outline = trace(item)
        bounds = _find_bounds(outline.mask)
        if bounds is None:  # a tiny ring may miss the centres of all pixels
            return
        x1, y1, x2, y2 = bounds
        body = outline.mask[y1:y2, x1:x2]
        for x, y in self._propose_corners(item, (x2 - x1, y2 - y1), twin, tries):
            if self._claim(body, x, y):
                at = (x - x1 - outline.left, y - y1 - outline.top)
                self.placed.append(Placed(item, outline, at, number, (x, y, x + x2 - x1, y + y2 - y1), 1.0))
                return

    def _propose_corners(
        self, item: SceneObject, body: tuple[int, int], twin: Placed | None, tries: ndarray
    ) -> list[list[int]]:
        """Returns upper left corners to try for a body (width, height); the first half is close to the twin if any."""
        room = len(self.owner) + 1 - np.array(body)  # number of possible corners, at least one
        corners = tries * room
        if twin:
            angle, away = 2 * np.pi * tries[: TRIES // 2, :1], 0.5 + 0.6 * tries[: TRIES // 2, 1:]
            touching = (item.length / item.ratio + twin.item.length / twin.item.ratio) / 2
            around = np.array(twin.at) + np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * away * touching
            corners[: TRIES // 2] = np.clip(around - np.array(body) / 2, 0, room - 1)
        return corners.astype(int).tolist()

    def _claim(self, body: ndarray, x: int, y: int) -> bool:
        """Assigns the pixels of a body to a new object unless that covers another one too much."""
        window = self.owner[y : y + body.shape[0], x : x + body.shape[1]]
        loss = np.bincount(window[body], minlength=len(self.areas) + 1)[1:]
        left = np.array(self.visible, dtype=np.int64) - loss
        if np.any(left < (1 - self.overlap) * np.array(self.areas)):
            return False
        area = int(body.sum())
        self.visible = [*left.tolist(), area]
        self.areas.append(area)
        window[body] = len(self.areas)
        return True

    def visible_objects(self) -> list[Placed]:
        """Returns the placed objects with the boxes and fractions of their visible pixels."""
        return [self._measure(n, placed) for n, placed in enumerate(self.placed)]

    def _measure(self, n: int, placed: Placed) -> Placed:
        x1, y1, x2, y2 = placed.box
        bounds = _find_bounds(self.owner[y1:y2, x1:x2] == n + 1)
        if bounds is None:
            raise RuntimeError("A placed object has no visible pixel, although the overlap is below 1.")
        box = (x1 + bounds[0], y1 + bounds[1], x1 + bounds[2], y1 + bounds[3])
        return placed._replace(box=box, visible=self.visible[n] / self.areas[n])


def _find_bounds(pixels: ndarray) -> tuple[int, int, int, int] | None:
    """Returns the bounding box of the pixels that are set, xyxy, or None if there are none."""
    columns, rows = np.flatnonzero(pixels.any(axis=0)), np.flatnonzero(pixels.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

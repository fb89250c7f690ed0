"""The procedural data set: neat still lifes one can dial, with boxes that are exact to the pixel.

A picture is a pure function of the dials and its index. Every part of it draws from a stream of its own, so turning
one dial changes as little of the picture as it can: more noise leaves the objects where they are, and one object more
leaves the looks of the others alone.
"""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy import ndarray

from core.config import Scenes
from core.scenes.clutter import strew
from core.scenes.paint import SKIN_NUMBERS, draw_setting, draw_skin, paint_solid, surface
from core.scenes.shapes import CLASS_NAMES, CLASSES, TRAITS, Outline, Thing, trace
from core.structures import Sample

__all__ = ["CLASS_NAMES", "MIN_LENGTH", "MIN_VISIBLE", "MIN_WIDTH", "Placed", "lay_out", "mask", "render_scene"]

MIN_VISIBLE = 0.25  # an object that shows less of itself than this share is left out of the ground truth
MIN_LENGTH = 4  # px; below, no object could be told from noise
MIN_WIDTH = 3  # px; small objects are less elongated rather than thinner
TRIES = 40  # places tried for an object before it is given up
RAREST = 0.01  # at full imbalance, how often the last class occurs for each time the first does
THING_NUMBERS = 6  # random numbers an object takes besides its traits: class, length, ratio, angle and shift
GRAIN = 0.14  # standard deviation of the strongest noise, of 0 … 1


class Stream(IntEnum):
    """What random numbers are drawn for."""

    LAYOUT = 0
    ORDER = 1
    PLACE = 2
    SETTING = 3
    SURFACE = 4
    CLUTTER = 5
    SKIN = 6
    NOISE = 7


class Placed(NamedTuple):
    """An object in its place.

    Attributes:
        thing: What it is.
        outline: Its outline.
        at: Pixel its centre lies in (x, y).
        number: Its number among the objects drawn for the picture, whichever found a place.
        box: Tight around its visible pixels, xyxy, the right and lower edges one past the last pixel.
        visible: Share of its pixels that no later object covers.
    """

    thing: Thing
    outline: Outline
    at: tuple[int, int]
    number: int
    box: tuple[int, int, int, int]
    visible: float


def render_scene(scenes: Scenes, index: int) -> Sample:
    """Renders picture `index`, with the objects that are visible enough as its ground truth."""
    setting = draw_setting(_stream(scenes, index, Stream.SETTING))
    canvas = surface(setting, scenes.image_size, _stream(scenes, index, Stream.SURFACE))
    strew(canvas, setting, scenes.clutter, _stream(scenes, index, Stream.CLUTTER))
    skins = _stream(scenes, index, Stream.SKIN).random((scenes.max_objects, SKIN_NUMBERS))
    layout = lay_out(scenes, index)
    for placed in layout:
        thing = placed.thing
        skin = draw_skin(skins[placed.number], setting, CLASSES[thing.label].texture, thing.traits)
        paint_solid(canvas, placed.outline, placed.at, setting.light, skin)
    # As on film, grain has no colour: all channels share it.
    grain = _stream(scenes, index, Stream.NOISE).standard_normal(canvas.shape[1:], dtype=np.float32)
    canvas += np.float32(GRAIN * scenes.noise) * grain
    return _sample(canvas, [placed for placed in layout if placed.visible >= MIN_VISIBLE], index)


def _sample(canvas: ndarray, objects: list[Placed], index: int) -> Sample:
    canvas *= 255
    canvas += 0.5  # whole numbers are cut off, so this rounds
    return Sample(
        image=torch.from_numpy(np.clip(canvas, 0, 255, out=canvas).astype(np.uint8)),  # [3, S, S]
        boxes=torch.tensor([placed.box for placed in objects], dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor([placed.thing.label for placed in objects], dtype=torch.int64),
        crowd=torch.zeros(len(objects), dtype=torch.bool),
        image_id=index,
    )


def mask(placed: Placed, size: int) -> ndarray:
    """Rasterises one object alone: the pixels it covers at least by half, bool [size, size]."""
    alone = np.zeros((size, size), dtype=bool)
    rows, columns = np.nonzero(placed.outline.mask)
    alone[rows + placed.outline.top + placed.at[1], columns + placed.outline.left + placed.at[0]] = True
    return alone


def lay_out(scenes: Scenes, index: int) -> list[Placed]:
    """Places the objects of picture `index`, lowest first; those that find no place are left out."""
    rng = _stream(scenes, index, Stream.LAYOUT)
    if rng.random() < scenes.empty_share:
        return []
    count = rng.integers(scenes.min_objects, scenes.max_objects, endpoint=True)
    things = [_draw_thing(scenes, numbers) for numbers in rng.random((count, THING_NUMBERS + TRAITS))]
    places = _stream(scenes, index, Stream.PLACE).random((count, 1 + TRIES, 2))
    lifts = _stream(scenes, index, Stream.ORDER).uniform(0.5, 1.5, count)
    table = _Table(scenes.image_size, scenes.overlap)
    # Large ones first, or they would find no place over the small; not strictly, so that either may lie on top.
    for number in sorted(range(count), key=lambda number: -things[number].length * lifts[number]):
        table.place(things[number], number, places[number])
    return table.objects()


def _draw_thing(scenes: Scenes, numbers: ndarray) -> Thing:
    kind, side, stretch, turn, *shift = numbers[:THING_NUMBERS].tolist()
    length = scenes.image_size * scenes.min_size * (scenes.max_size / scenes.min_size) ** side
    length = max(length, MIN_LENGTH)
    ratio = min(scenes.elongation**stretch, length / MIN_WIDTH)
    weights = _class_weights(scenes.imbalance)
    label = int(np.searchsorted(weights, kind * weights[-1], side="right"))
    return Thing(label, length, ratio, 2 * np.pi * turn, tuple(shift), numbers[THING_NUMBERS:].astype(np.float32))


@lru_cache(maxsize=16)
def _class_weights(imbalance: float) -> ndarray:
    """Returns the running sum of how often each class is drawn, float64 [K]; the last is drawn least."""
    return np.cumsum(RAREST ** (imbalance * np.linspace(0, 1, len(CLASS_NAMES))))


def _stream(scenes: Scenes, index: int, purpose: Stream) -> np.random.Generator:
    return np.random.default_rng((scenes.seed, index, purpose))


class _Table:
    """The table the objects are laid on: it knows whose pixel each pixel is."""

    def __init__(self, size: int, overlap: float):
        self.overlap = overlap
        self.owner = np.zeros((size, size), dtype=np.int16)  # 0: nobody's; n: that of the n-th placed
        self.placed: list[Placed] = []
        self.areas: list[int] = []  # pixels of each
        self.visible: list[int] = []  # pixels of each that are not covered

    def place(self, thing: Thing, number: int, numbers: ndarray) -> None:
        """Lays a thing where it covers no other too much, if a few tries find such a place.

        The more overlap is asked for, the more things are twins: of the class of an earlier one, and close to it.

        Args:
            thing: What is to be placed.
            number: Its number among the objects of the picture.
            numbers: Random numbers in [0, 1): whether and whose twin it is, then places, float [1 + TRIES, 2].
        """
        (twinned, whose), tries = numbers[0], numbers[1:]
        twin = None
        if self.placed and twinned < self.overlap / 2:
            twin = self.placed[int(whose * len(self.placed))]
            thing = thing._replace(label=twin.thing.label)
        outline = trace(thing)
        tight = _tight(outline.mask)
        if tight is None:  # a tiny ring may miss the centre of every pixel
            return
        x1, y1, x2, y2 = tight
        body = outline.mask[y1:y2, x1:x2]
        for x, y in self._spots(thing, (x2 - x1, y2 - y1), twin, tries):
            if self._claim(body, x, y):
                at = (x - x1 - outline.left, y - y1 - outline.top)
                self.placed.append(Placed(thing, outline, at, number, (x, y, x + x2 - x1, y + y2 - y1), 1.0))
                return

    def _spots(self, thing: Thing, body: tuple[int, int], twin: Placed | None, tries: ndarray) -> list[list[int]]:
        """Returns upper left corners to try for a body (width, height), the first half close to the twin if any."""
        room = len(self.owner) + 1 - np.array(body)  # corners there are to choose from, at least one
        spots = tries * room
        if twin:
            angle, away = 2 * np.pi * tries[: TRIES // 2, :1], 0.5 + 0.6 * tries[: TRIES // 2, 1:]
            touching = (thing.length / thing.ratio + twin.thing.length / twin.thing.ratio) / 2
            around = np.array(twin.at) + np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * away * touching
            spots[: TRIES // 2] = np.clip(around - np.array(body) / 2, 0, room - 1)
        return spots.astype(int).tolist()

    def _claim(self, body: ndarray, x: int, y: int) -> bool:
        """Gives the pixels of a body to a new object unless that covers another one too much."""
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

    def objects(self) -> list[Placed]:
        """Returns what was placed, each with the box around what is visible of it."""
        return [self._seen(n, placed) for n, placed in enumerate(self.placed)]

    def _seen(self, n: int, placed: Placed) -> Placed:
        x1, y1, x2, y2 = placed.box
        tight = _tight(self.owner[y1:y2, x1:x2] == n + 1)
        box = (x1 + tight[0], y1 + tight[1], x1 + tight[2], y1 + tight[3])
        return placed._replace(box=box, visible=self.visible[n] / self.areas[n])


def _tight(pixels: ndarray) -> tuple[int, int, int, int] | None:
    """Returns the box around the pixels that are set, xyxy, or None if there are none."""
    columns, rows = np.flatnonzero(pixels.any(axis=0)), np.flatnonzero(pixels.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

"""What a step of the pipeline is: its knobs, its headline in the strip, and what it shows under given settings."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from core.anchors import LEVELS
from core.knobs import Knob
from playground.canvas import Heat, Layer
from playground.canvas_edit import Pick
from playground.situation import Situation


class Focus(NamedTuple):
    """What the visitor looks at, beside the settings.

    Attributes:
        level: Pyramid level whose maps are drawn, 0 for P3.
        pick: What was clicked last, in the network's pixels, None before any click.
        run: Name of the training run, "" for none.
        curve: Which curve the loss step draws.
        p_t: Of the example that the loss step marks.
    """

    level: int = 0
    pick: Pick | None = None
    run: str = ""
    curve: str = "loss"
    p_t: float = 0.9


class Look(NamedTuple):
    """What a step shows.

    Attributes:
        layers: Drawn over the picture, bottom to top.
        heat: Map drawn over the picture.
        readout: HTML, made by `playground.readout`.
        figure: A Plotly figure as a dictionary, or None.
        more: HTML under the figure.
        editable: Whether the objects can be drawn.
    """

    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None
    readout: str = ""
    figure: dict[str, Any] | None = None
    more: str = ""
    editable: bool = False


class Step(NamedTuple):
    """A step of the pipeline.

    Attributes:
        key: Names it in links and on the page.
        title: In the strip.
        about: One or two sentences on what happens here.
        has: Whether a hyperparameter belongs here.
        headline: Its live number in the strip.
        look: What it shows.
        uses_level: Whether the choice of a level matters to it.
    """

    key: str
    title: str
    about: str
    has: Callable[[Knob], bool]
    headline: Callable[[Situation], str]
    look: Callable[[Situation, Focus], Look]
    uses_level: bool = False


def truth_layer(situation: Situation, *, visible: bool = True) -> Layer:
    """Returns the objects of the picture as a layer."""
    boxes, labels = situation.objects
    names = tuple(situation.picture.class_names[label] for label in labels.tolist())
    return Layer(
        "truth", "ground truth", "truth", boxes.numpy(), dashed=True, captions=names, labels=labels, visible=visible
    )


def level_heat(situation: Situation, level: int, values: np.ndarray, *, key: str, label: str) -> Heat:
    """Returns a map of one level [rows, columns] over the part of the padded picture it covers."""
    height, width = situation.batch.pixels.shape[-2:]
    return Heat(key, f"{label} on {LEVELS[level]}", values, (0, 0, width, height))


def section(name: str) -> Callable[[Knob], bool]:
    """Returns the test for hyperparameters of one section."""
    return lambda knob: knob.section == name

"""What a step of the pipeline is: its knobs, its headline in the strip, and what it shows under given settings."""

from collections.abc import Callable
from typing import Any, NamedTuple

from markupsafe import Markup
from torch import Tensor

from core.config import Knob
from core.retinanet.anchors import LEVELS
from playground.canvas.edit import Pick
from playground.canvas.view import Heat, Layer
from playground.data.picture import Picture
from playground.evaluations.query import EvaluationQuery
from playground.pipeline.pipeline import Pipeline

MAPS = ("pyramid", "body", "scores")  # features of P3 … P7 or of C3 … C5, class scores of P3 … P7


class Focus(NamedTuple):
    """What the visitor looks at, beside the settings.

    Attributes:
        level: Pyramid level whose maps are drawn, 0 for P3.
        pick: What was clicked last, in the network's pixels, None before any click.
        run: Name of the training run, "" for none.
        curve: Which curve the loss step draws.
        p_t: Of the example that the loss step marks.
        map: Which maps the network step draws, one of `MAPS`.
        evaluation_query: What is asked of an evaluation.
        frame: Evaluation of the run whose detections are drawn, from 1; one beyond the last stands for that.
    """

    level: int = 0
    pick: Pick | None = None
    run: str = ""
    curve: str = "loss"
    p_t: float = 0.9
    map: str = MAPS[0]
    evaluation_query: EvaluationQuery = EvaluationQuery()
    frame: int = 1


class StepText(NamedTuple):
    """What a step tells beside the picture.

    Attributes:
        readout: HTML, made by `playground.components.html`.
        figure: A Plotly figure as a dictionary, or None.
        more: HTML under the figure; None leaves what is there.
    """

    readout: Markup = Markup()
    figure: dict[str, Any] | None = None
    more: Markup | None = Markup()


class StepView(NamedTuple):
    """What a step shows.

    Attributes:
        layers: Drawn over the picture, bottom to top.
        heat: Map drawn over the picture.
        words: Returns what it tells beside; called once the picture is on its way.
        editable: Whether the objects can be drawn.
        picture: Drawn in place of the visitor's, in its own pixels.
    """

    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None
    words: Callable[[], StepText] = StepText
    editable: bool = False
    picture: Picture | None = None


class StripItem(NamedTuple):
    """A cell of the strip.

    Attributes:
        key: Names it on the page.
        title: Its name.
        headline: Its live number.
        about: What it is, as a tooltip.
        map: What choosing it draws in the network step, one of `MAPS`, "" to leave that.
        layer: Layer of the picture that choosing it switches on.
    """

    key: str
    title: str
    headline: Callable[[Pipeline], str]
    about: str = ""
    map: str = ""
    layer: str = ""


class LevelCell(NamedTuple):
    """What the strip tells of one level, or of a part of the network.

    Attributes:
        name: Of the level.
        text: Live numbers.
        level: Choosing it draws this level's maps, None if there is nothing to choose.
        map: As `StripItem.map`.
    """

    name: str
    text: str
    level: int | None = None
    map: str = ""


class Levels(NamedTuple):
    """The second row of the strip: what its numbers are, and the numbers of each level."""

    about: str
    cells: tuple[LevelCell, ...]


class Step(NamedTuple):
    """A step of the pipeline.

    Attributes:
        key: Names it in links and on the page.
        title: In the strip.
        about: One or two sentences on what happens here.
        has: Whether a hyperparameter belongs here.
        headline: Its live number in the strip, or the parts it has there.
        look: What it shows.
        levels: What the strip tells of each level while this step is chosen.
        uses_level: Whether it draws a map of one level, which can be chosen.
    """

    key: str
    title: str
    about: str
    has: Callable[[Knob], bool]
    headline: Callable[[Pipeline], str] | tuple[StripItem, ...]
    look: Callable[[Pipeline, Focus], StepView]
    levels: Callable[[Pipeline, Focus], Levels]
    uses_level: bool = False

    @property
    def parts(self) -> tuple[StripItem, ...]:
        """Its cells in the strip."""
        if isinstance(self.headline, tuple):
            return self.headline
        return (StripItem(self.key, self.title, self.headline),)


def truth_layer(pipeline: Pipeline, *, visible: bool = True) -> Layer:
    """Returns the objects of the picture as a layer."""
    return objects_layer(*pipeline.objects, pipeline.picture.class_names, visible=visible)


def objects_layer(boxes: Tensor, labels: Tensor, class_names: tuple[str, ...], *, visible: bool = True) -> Layer:
    """Returns objects, boxes [M, 4] and labels [M], as a layer."""
    names = tuple(class_names[label] for label in labels.tolist())
    return Layer(
        "truth", "ground truth", "truth", boxes.numpy(), dashed=True, captions=names, labels=labels, visible=visible
    )


def level_heat(pipeline: Pipeline, name: str, values: Tensor, *, key: str, label: str, visible: bool = True) -> Heat:
    """Returns a map of a level, float32 [rows, columns] from 0 up, over the padded picture it covers.

    Its largest value gets the brightest colour.
    """
    height, width = pipeline.batch.pixels.shape[-2:]
    values = values.nan_to_num(0.0)
    scale = values.max().clamp(min=1e-9)
    return Heat(key, f"{label} on {name}", (values / scale).numpy(), (0, 0, width, height), visible, scale.item())


def score_heat(pipeline: Pipeline, level: int, *, key: str, visible: bool = True) -> Heat:
    """Returns the best class score of any anchor at each place of a level."""
    return level_heat(
        pipeline, LEVELS[level], pipeline.score_maps[level], key=key, label="class score", visible=visible
    )


def section(name: str) -> Callable[[Knob], bool]:
    """Returns the test for hyperparameters of one section."""
    return lambda knob: knob.section == name

"""The interface of a step: its hyperparameters, its live numbers in the strip, and its view under given settings."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from markupsafe import Markup
from torch import Tensor

from core.config import Knob
from core.retinanet.anchors import LEVELS
from playground.canvas.edit import Pick
from playground.canvas.view import Heat, Layer
from playground.components import html
from playground.components.dials import Dial
from playground.data.picture import Picture
from playground.evaluations.query import EvaluationQuery
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import Dials
from playground.support.groups import TITLES, step_of

THE_FIGURE = "this figure"  # of `StepText.moves`
MAPS = ("pyramid", "body", "scores")  # feature maps P3 … P7, those of the backbone C3 … C5, class scores P3 … P7


class Suggesting(NamedTuple):
    """The visitor's choices for suggestions.

    Attributes:
        above: The score above which boxes are suggested.
        on: True or False once the visitor has switched them; None to suggest if the weights know one of the classes.
    """

    above: float = 0.5
    on: bool | None = None


class Focus(NamedTuple):
    """The visitor's choices other than settings and picture.

    Attributes:
        level: Pyramid level whose map is drawn, 0 for P3.
        pick: The last click, None before any.
        run: Name of the training run, "" for none.
        curve: The curve that the loss step draws.
        p_t: Of the example in the loss step.
        map: The map that the network step draws, one of `MAPS`.
        evaluation_query: What to show of an evaluation.
        frame: The evaluation of the run whose detections are drawn, counted from 1; beyond the last one, the last.
        suggesting: Choices for suggestions on the visitor's own pictures.
        dials: Values of the dials beside figures.
        weights: Key and name of further weights whose results figures of the evaluation show; the name is "" if the
            visitor may not use them.
    """

    level: int = 0
    pick: Pick | None = None
    run: str = ""
    curve: str = "loss"
    p_t: float = 0.9
    map: str = MAPS[0]
    evaluation_query: EvaluationQuery = EvaluationQuery()
    frame: int = 1
    suggesting: Suggesting = Suggesting()
    dials: Dials = Dials()
    weights: tuple[tuple[str, str], ...] = ()


class StepText(NamedTuple):
    """The content of a step beside the picture.

    Attributes:
        readout: Numbers and tables.
        figure: A Plotly figure as a dictionary, or None.
        more: Content below the figure; None leaves it unchanged.
        dials: Sliders and lists that choose what the figure shows.
        moves: What each hyperparameter changes in this content even where it does not act otherwise, by path, in words.
    """

    readout: Markup = Markup()
    figure: dict[str, Any] | None = None
    more: Markup | None = Markup()
    dials: tuple[Dial, ...] = ()
    moves: Mapping[str, str] = MappingProxyType({})


class Editing(NamedTuple):
    """How a picture of the visitor's own album can be edited, see the fields of the same names of `View`."""

    classes: tuple[str, ...]
    class_colours: tuple[str, ...]
    rejected: Tensor
    class_suggestions: tuple[str, ...] = ()
    free_classes: bool = True
    draw_first: bool = True


class StepView(NamedTuple):
    """The content of a step.

    Attributes:
        layers: Drawn over the picture, bottom to top.
        heat: Heat map drawn over the picture.
        build_text: Returns the content beside the picture; called after the picture has been sent.
        editable: True if objects can be drawn.
        editing: How, for a picture of the visitor's own album; None for any other.
        picture: Replaces the visitor's picture; its boxes are in its own pixels.
        figure: The figure, if it takes no time to build: it is sent with the picture, so that a drag moves both alike.
    """

    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None
    build_text: Callable[[], StepText] = StepText
    editable: bool = False
    editing: Editing | None = None
    picture: Picture | None = None
    figure: dict[str, Any] | None = None


class StripItem(NamedTuple):
    """A cell in the strip of steps.

    Attributes:
        key: Its identifier on the page.
        title: Its name.
        headline: Returns its live number.
        about: Its tooltip.
        map: The map that the network step draws once the cell is chosen, one of `MAPS`; "" leaves the map unchanged.
        layer: The layer that choosing the cell switches on, "" for the usual ones alone; None leaves them unchanged.
    """

    key: str
    title: str
    headline: Callable[[Pipeline], str]
    about: str = ""
    map: str = ""
    layer: str | None = None


class LevelCell(NamedTuple):
    """A cell of the strip's second row: a pyramid level, or a part of the network.

    Attributes:
        name: Its name.
        text: Its live numbers.
        level: The level whose map is drawn once the cell is chosen, None if it cannot be chosen.
        map: As in `StripItem`.
    """

    name: str
    text: str
    level: int | None = None
    map: str = ""


class Levels(NamedTuple):
    """The strip's second row: the meaning of its numbers, and the cells."""

    about: str
    cells: tuple[LevelCell, ...]


class Step(NamedTuple):
    """A step of the pipeline.

    Attributes:
        key: Its identifier in links and on the page, a key of `playground.support.groups.TITLES`.
        about: Its introduction, a few sentences.
        headline: Returns its live number in the strip; or its cells in the strip if it has several.
        build_view: Returns its content.
        build_levels: Returns the strip's second row while the step is chosen.
        uses_level: True if it draws a map of one level, which can be chosen.
        has_figure: True if it has a figure, which other pages can embed.
        build_figure: Returns its figure alone, as under the pinned settings; None if it does not depend on them. A step
            with `keeps_figure` shows it also where nothing else can be shown.
        keeps_figure: True if its figure, unlike the rest, can be shown where the network knows no class of the picture.
        slider: Path of the hyperparameter that the embedded figure has a slider for, "" for none.
        without_pinned: What is said where the pinned settings have no figure, "" for nothing.
    """

    key: str
    about: str
    headline: Callable[[Pipeline], str] | tuple[StripItem, ...]
    build_view: Callable[[Pipeline, Focus], StepView]
    build_levels: Callable[[Pipeline, Focus], Levels]
    uses_level: bool = False
    has_figure: bool = False
    build_figure: Callable[[Pipeline, Focus], dict[str, Any] | None] | None = None
    keeps_figure: bool = False
    slider: str = ""
    without_pinned: str = ""

    @property
    def title(self) -> str:
        """Its name in the strip."""
        return TITLES[self.key]

    def has_knob(self, knob: Knob) -> bool:
        """True for the hyperparameters that belong to it."""
        return step_of(knob) == self.key

    @property
    def strip_items(self) -> tuple[StripItem, ...]:
        """Its cells in the strip."""
        if isinstance(self.headline, tuple):
            return self.headline
        return (StripItem(self.key, self.title, self.headline),)


def note_tiles(pipeline: Pipeline) -> Markup:
    """Returns a sentence for steps about the whole picture if it is seen in tiles or views; otherwise nothing."""
    also = [*(["its tiles"] if pipeline.is_tiled else []), *(["its other views"] if len(pipeline.views) > 1 else [])]
    if not also:
        return Markup()
    added = " and ".join(also)
    return html.paragraph(
        f"This step is about the whole picture alone; what {added} add is shown in the step Detections."
    )


def truth_layer(pipeline: Pipeline, *, visible: bool = True) -> Layer:
    """Returns the objects of the picture as a layer."""
    return objects_layer(*pipeline.objects, pipeline.picture.class_names, visible=visible)


def number_objects(labels: Tensor, class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names of objects, int64 [M], on the picture and in tables, such as "leaf 4": class and number."""
    return tuple(f"{class_names[label]} {number}" for number, label in enumerate(labels.tolist(), start=1))


def objects_layer(boxes: Tensor, labels: Tensor, class_names: tuple[str, ...], *, visible: bool = True) -> Layer:
    """Returns objects, boxes float32 [M, 4] and labels int64 [M], as a layer; their captions have their numbers."""
    names = number_objects(labels, class_names)
    return Layer(
        "truth", "ground truth", "truth", boxes.numpy(), dashed=True, captions=names, labels=labels, visible=visible
    )


def level_heat(pipeline: Pipeline, name: str, values: Tensor, *, key: str, label: str, visible: bool = True) -> Heat:
    """Returns a map of a level as a heat map over the padded picture, scaled by its maximum.

    Args:
        pipeline: The picture under the settings.
        name: Name of the level.
        values: float32 [rows, columns], from 0 up.
        key: Identifies the heat map.
        label: Name of the quantity.
        visible: True if the heat map is initially switched on.
    """
    height, width = pipeline.batch.pixels.shape[-2:]
    values = values.nan_to_num(0.0)
    scale = values.max().clamp(min=1e-9)
    return Heat(key, f"{label} on {name}", (values / scale).numpy(), (0, 0, width, height), visible, scale.item())


def score_heat(pipeline: Pipeline, level: int, *, key: str, visible: bool = True) -> Heat:
    """Returns the best class score of any anchor at each location of a level."""
    return level_heat(
        pipeline, LEVELS[level], pipeline.score_maps[level], key=key, label="class score", visible=visible
    )

"""The content of the assignment step that shows how a box is regressed."""

from markupsafe import Markup

from core.analysis.box_coding import DELTAS
from core.errors import UserError
from core.retinanet.anchors import LEVELS
from playground.canvas.view import Layer
from playground.components import html
from playground.components.dials import BUTTON, CHOICE, SLIDER, Dial
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import BOXES, USUAL, Dials, OfAnchor
from playground.steps.regression.example import ANCHOR_LAYERS, Example, make_example
from playground.steps.regression.figure import loss_figure
from playground.steps.regression.tables import decoding, encoding, losses, overlaps
from playground.steps.step import THE_FIGURE, Focus, StepText, StepView, truth_layer
from playground.support.wording import hide_server

MOVES = {"loss.smooth_l1_beta": THE_FIGURE}  # which draws smooth L1 whatever the box loss is
SHIFT, GROWTH = 3.0, 5.0  # bounds of the sliders; above log(1000/16) = 4.135, growth is bounded


def choose_graph(dials: Dials, usual: str) -> Dial:
    """Returns the dial that chooses between a step's usual figure, named `usual`, and this one."""
    choices = ((usual, ""), ("How a box is regressed", BOXES))
    return Dial("graph", "Figure", CHOICE, dials.graph if dials.graph == BOXES else "", choices=choices)


def build_regression_view(pipeline: Pipeline, focus: Focus, anchors: tuple[Layer, ...], chooser: Dial) -> StepView:
    """Shows an anchor, the box that it has to predict, which can be dragged, and the box that it predicts.

    Args:
        pipeline: The picture under the settings.
        focus: The visitor's choices.
        anchors: The layers of the anchors that can be clicked.
        chooser: The dial that chooses the figure.
    """
    hidden = tuple(each._replace(visible=False) for each in anchors if each.key in ANCHOR_LAYERS)
    truth = truth_layer(pipeline)
    try:
        example = make_example(pipeline, focus.pick, focus.dials)
    except UserError as error:
        refusal = StepText(html.paragraph(hide_server(str(error))), dials=(chooser,))
        return StepView((*hidden, truth), build_text=lambda: refusal)

    def build_text() -> StepText:
        loss = pipeline.config.loss
        text = _introduce(pipeline, example) + overlaps(example) + encoding(example)
        more = decoding(example, *pipeline.size) + losses(example, loss)
        return StepText(text, loss_figure(example, loss), more, (chooser, *_dials(example)), MOVES)

    return StepView((*hidden, truth, *_layers(example)), build_text=build_text)


def _layers(example: Example) -> tuple[Layer, ...]:
    """Returns the anchor, the prediction before and after it is clipped, and the box to predict on top."""
    return (
        Layer("regressed-anchor", "anchor", "foreground", example.anchor_box[None], dashed=True, width=2),
        Layer("regressed-whole", "prediction, not clipped", "before", example.decoded.box[None], visible=False),
        Layer("regressed-box", "prediction", "before", example.decoded.clipped[None], width=2.5),
        Layer("target", "box to predict: drag it", "kept", example.target_box[None], width=2.5,
              carries=str(example.anchor)),
    )  # fmt: skip


def _introduce(pipeline: Pipeline, example: Example) -> Markup:
    name = f"{pipeline.picture.class_names[pipeline.objects[1][example.object]]} {example.object + 1}"
    width, height = (example.anchor_box[2:] - example.anchor_box[:2]).tolist()
    level = LEVELS[int(pipeline.grid.level[example.anchor])]
    text = html.heading(f"An anchor of {level}, {width:.0f} × {height:.0f} px, and {name}")
    sentences = ["Drag the box to predict, or its corners, on the picture; click another object for its best anchor."]
    if example.label != "foreground":
        sentences.append(
            f"This anchor is {example.label}: its deltas are not trained, and it would have to learn these."
        )
    if example.problem:
        sentences.append(
            f"The prediction is no shift and no growth, since the network predicts none: {example.problem}"
        )
    return text + html.paragraph(" ".join(sentences))


def _dials(example: Example) -> tuple[Dial, ...]:
    """Returns sliders for the predicted deltas, and buttons back to those of the network and the object."""
    whole = str(OfAnchor(example.anchor, tuple(example.predicted.tolist())))
    sliders = tuple(
        Dial("deltas", f"predicted {name}", SLIDER, f"{value:.2f}", -most, most, 0.01, part=part, whole=whole)
        for part, (name, value, most) in enumerate(
            zip(DELTAS, example.predicted.tolist(), (SHIFT, SHIFT, GROWTH, GROWTH), strict=True), start=1
        )
    )
    target = str(OfAnchor(example.anchor, tuple(example.target.tolist())))
    return (
        *sliders,
        Dial("deltas", "Predict the target exactly", BUTTON, target),
        Dial("deltas", "What the network predicts", BUTTON, USUAL),
        Dial("box", "The object's own box", BUTTON, USUAL),
    )

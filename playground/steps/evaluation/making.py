"""How average precision is made of an evaluation: one detection at a time, in its picture."""

from markupsafe import Markup

from core.retinanet.boxes import rescale
from playground.canvas.view import Layer
from playground.data.picture import Picture
from playground.data.sources import open_picture
from playground.evaluations.keys import evaluated_split
from playground.evaluations.results import EvaluationResult
from playground.pipeline.pipeline import Pipeline
from playground.steps.evaluation import tables
from playground.steps.precision.counted import Choice, choose, of_evaluation
from playground.steps.precision.view import counted_dials, counted_figure, counted_layers, counted_text
from playground.steps.step import Focus, StepText, StepView, objects_layer, truth_layer


def build_making_view(pipeline: Pipeline, result: EvaluationResult, focus: Focus, status: Markup) -> StepView:
    """Shows the detection counted last in its picture, the curve up to it, and what the kinds of errors cost.

    Args:
        pipeline: The picture on the page under the settings.
        result: The evaluation.
        focus: The visitor's choices.
        status: A description of the evaluation.
    """
    dials, query = focus.dials, focus.evaluation_query
    choice = choose(of_evaluation(result), dials)

    def build_text() -> StepText:
        text = status + tables.figures(query) + counted_text(choice, dials)
        more = tables.errors(result.report, query)
        return StepText(text, counted_figure(choice), more, counted_dials(choice, dials))

    if not choice.so_far:
        return StepView((truth_layer(pipeline),), build_text=build_text)
    image = choice.counting.detections[choice.so_far - 1].image
    picture = open_picture(
        evaluated_split(pipeline.image_ref).with_index(image), pipeline.config.scenes, pipeline.visitor
    )
    return StepView(_build_layers(choice, image, result, picture), build_text=build_text, picture=picture)


def _build_layers(choice: Choice, image: int, result: EvaluationResult, picture: Picture) -> tuple[Layer, ...]:
    """Returns the objects and the counted detections of a picture, in its own pixels."""
    found = rescale(result.images[image].detections.boxes, *picture.scale)
    sample = picture.sample
    objects = objects_layer(sample.boxes[~sample.crowd], sample.labels[~sample.crowd], picture.class_names)
    return (objects, *counted_layers(choice, image, found))

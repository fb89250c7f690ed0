"""The picture step: a generated or uploaded picture with its ground truth."""

from collections import Counter

from markupsafe import Markup

from core.analysis.issues import NO_ANCHOR
from core.retinanet.boxes import rescale
from playground.components import html
from playground.data.albums import index_in, shown_album
from playground.data.datasets import DATA
from playground.data.image_ref import is_from_data_set
from playground.data.report import build_report, map_image_refs
from playground.data.sources import measure_objects, read_annotations
from playground.pipeline.pipeline import Pipeline
from playground.steps.evaluation.step import suspected_layers
from playground.steps.levels import object_levels
from playground.steps.step import Focus, Step, StepText, StepView, truth_layer
from playground.steps.suggestions import build_suggestions

MAX_MEASURED = 20_000  # objects of a data set that are compared with the anchors again, which takes up to a second
AREAS = (("small", 0, 32**2), ("medium", 32**2, 96**2), ("large", 96**2, float("inf")))  # COCO's, px²


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the objects, their classes and sizes, and the report on the data set; suggestions for own pictures."""
    layers = (truth_layer(pipeline), *suspected_layers(pipeline, focus.evaluation_query))
    view = StepView(layers, build_text=lambda: StepText(_build_readout(pipeline)), editable=True)
    album = shown_album(pipeline.image_ref, pipeline.visitor)
    if album is None:
        return view
    index = index_in(album, pipeline.image_ref)
    if album.owner != pipeline.visitor or index is None:
        return view._replace(editable=False)
    picture = album.pictures[index]
    editing, layer = build_suggestions(focus.suggesting, pipeline, album, picture)
    return view._replace(layers=(*view.layers, layer) if layer else view.layers, editing=editing)


def _build_readout(pipeline: Pipeline) -> Markup:
    boxes, labels = pipeline.objects
    names = Counter(pipeline.picture.class_names[label] for label in labels.tolist())
    height, width = pipeline.picture.sample.image.shape[1:]
    factors = pipeline.batch.factors[0].tolist()
    original = rescale(boxes, factors[0], factors[1])
    area = ((original[:, 2] - original[:, 0]) * (original[:, 3] - original[:, 1])).tolist()
    sizes = [(name, str(sum(low <= a < high for a in area))) for name, low, high in AREAS]
    text = html.facts(
        [
            ("objects", str(len(boxes))),
            ("picture size, px", f"{width}×{height}"),
            ("resized for the network, px", f"{pipeline.size[1]}×{pipeline.size[0]}"),
        ]
    )
    text += html.table(html.Table("Objects by class", ("class", "objects"), _rows(names)))
    text += html.table(html.Table("Objects by COCO size", ("size", "objects"), tuple(sizes)))
    text += (
        _build_data_set_report(pipeline.image_ref.source, pipeline)
        if is_from_data_set(pipeline.image_ref)
        else Markup()
    )
    if not len(boxes):
        text += html.paragraph(_describe_no_objects(pipeline))
    return text


def _describe_no_objects(pipeline: Pipeline) -> str:
    """Returns what a picture without boxes means, and how it gets some."""
    album = shown_album(pipeline.image_ref, pipeline.visitor)
    index = index_in(album, pipeline.image_ref) if album else None
    if album is None or index is None:
        return "There is no object yet: press Draw boxes above the picture and drag over one."
    if album.pictures[index].labelled:
        return "No objects here: the picture teaches what is not an object."
    if album.owner != pipeline.visitor:
        return "Nobody has labelled this picture yet."
    return "There is no object yet: drag over one on the picture, or press No objects here."


def _build_data_set_report(name: str, pipeline: Pipeline) -> Markup:
    """Returns the report on a data set; sizes that would be slow to measure are those from when it was added."""
    check = DATA.library.get(name).check
    issues = tuple(issue for issue in check.issues if issue.kind != NO_ANCHOR)
    if sum(each.objects for each in check.sizes.values()) > MAX_MEASURED or pipeline.must_postpone():
        text = build_report(name, check, check.sizes, check.issues)
    else:
        sizes = measure_objects(name, pipeline.config)
        places = map_image_refs(name, read_annotations(name, pipeline.config))
        text = build_report(name, check, sizes.classes, issues + sizes.unmatched, places)
    return html.details("The data set", text, opened=True)


def _rows(names: Counter) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(number)) for name, number in sorted(names.items()))


def _headline(pipeline: Pipeline) -> str:
    return f"{pipeline.size[1]}×{pipeline.size[0]}"


STEP = Step(
    "picture",
    "Generate a scene, or upload your own picture. The boxes are the ground truth: what a detector should find. "
    "Draw, move or delete them, and all later steps follow.",
    _headline,
    build_view,
    object_levels,
)

"""The picture: generated or uploaded, with the objects that are to be found."""

from collections import Counter

from markupsafe import Markup

from core.analysis.issues import NO_ANCHOR
from core.config import Effect, Knob
from core.retinanet.boxes import rescale
from playground.components import html
from playground.data.datasets import DATA
from playground.data.image_ref import is_from_data_set
from playground.data.report import build_report, map_image_refs
from playground.data.sources import measure_objects, read_annotations
from playground.pipeline.pipeline import Pipeline
from playground.steps.levels import object_levels
from playground.steps.step import Focus, Step, StepText, StepView, truth_layer

MEASURED_AT_MOST = 20_000  # objects of a data set that are held against the anchors anew, in up to a second
AREAS = (("small", 0, 32**2), ("medium", 32**2, 96**2), ("large", 96**2, float("inf")))  # COCO's, px²


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the objects, and how large the network sees them."""
    return StepView((truth_layer(pipeline),), build_text=lambda: StepText(_told(pipeline)), editable=True)


def _told(pipeline: Pipeline) -> Markup:
    boxes, labels = pipeline.objects
    names = Counter(pipeline.picture.class_names[label] for label in labels.tolist())
    height, width = pipeline.picture.sample.image.shape[1:]
    factors = pipeline.batch.factors[0].tolist()
    own = rescale(boxes, factors[0], factors[1])
    area = ((own[:, 2] - own[:, 0]) * (own[:, 3] - own[:, 1])).tolist()
    sizes = [(name, str(sum(low <= a < high for a in area))) for name, low, high in AREAS]
    text = html.facts(
        [
            ("objects", str(len(boxes))),
            ("picture, px", f"{width}×{height}"),
            ("for the network, px", f"{pipeline.size[1]}×{pipeline.size[0]}"),
        ]
    )
    text += html.table(html.Table("Objects by class", ("class", "objects"), _rows(names)))
    text += html.table(html.Table("By COCO's sizes", ("size", "objects"), tuple(sizes)))
    text += _data_set(pipeline.image_ref.source, pipeline) if is_from_data_set(pipeline.image_ref) else Markup()
    if not len(boxes):
        text += html.paragraph("There is no object yet: press Draw boxes above the picture and drag over one.")
    return text


def _data_set(name: str, pipeline: Pipeline) -> Markup:
    """Returns the report; what takes long is as it was when the data set came."""
    check = DATA.library.get(name).check
    issues = tuple(issue for issue in check.issues if issue.kind != NO_ANCHOR)
    if sum(each.objects for each in check.sizes.values()) > MEASURED_AT_MOST or pipeline.must_postpone():
        text = build_report(name, check, check.sizes, check.issues)
    else:
        sizes = measure_objects(name, pipeline.config)
        places = map_image_refs(name, read_annotations(name, pipeline.config))
        text = build_report(name, check, sizes.classes, issues + sizes.unmatched, places)
    return html.details("The data set", text, opened=True)


def _rows(names: Counter) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(number)) for name, number in sorted(names.items()))


def _belongs(knob: Knob) -> bool:
    return knob.section == "scenes" or (knob.section == "inference" and knob.effect == Effect.FORWARD)


def _headline(pipeline: Pipeline) -> str:
    return f"{pipeline.size[1]}×{pipeline.size[0]}"


STEP = Step(
    "picture",
    "Picture",
    "Make a scene, or upload a picture of your own. The boxes are the ground truth: what a detector should find. "
    "Draw, move or delete them, and everything after follows.",
    _belongs,
    _headline,
    build_view,
    object_levels,
)

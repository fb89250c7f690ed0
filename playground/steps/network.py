"""The network step: ResNet backbone, feature pyramid and heads; their sizes and their feature maps."""

from markupsafe import Markup

from core.analysis import model_costs
from core.retinanet.anchors import LEVELS
from core.retinanet.precision import is_bf16_fast
from core.weights.architecture import WeightsError
from playground.canvas.view import Heat
from playground.components import html
from playground.inspector.pyramid import build_feature_report
from playground.pipeline.pipeline import Pipeline
from playground.steps import weights
from playground.steps.levels import BACKBONE, FROZEN, PART_NAMES, format_short, map_levels
from playground.steps.step import (
    Focus,
    Step,
    StepText,
    StepView,
    StripItem,
    level_heat,
    note_tiles,
    score_heat,
    truth_layer,
)
from playground.support.cache import PostponedError
from playground.support.wording import name_knobs

HINT = "Click a point of the picture to see what the features at its location are made of."
STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows a feature map, the shapes of all feature maps, and the parameters of each part."""
    try:
        pyramid = pipeline.pyramid
    except WeightsError as error:  # its size does not depend on the weights
        text = html.paragraph(f"{name_knobs(error)} Without it, only its size can be shown:") + _sizes(pipeline)
        return StepView(build_text=lambda: StepText(text))

    def build_text() -> StepText:
        maps = [*zip(BACKBONE, pyramid.body, strict=True), *zip(LEVELS, pyramid.levels, strict=True)]
        shapes = tuple((name, f"{each.shape[1]} × {each.shape[2]} × {each.shape[3]}") for name, each in maps)
        table = html.Table("Feature maps of this picture", ("map", "channels × rows × columns"), shapes)
        return StepText(
            note_tiles(pipeline)
            + weights.paragraphs(pipeline.config)
            + _say_precision(pipeline)
            + _sizes(pipeline)
            + html.table(table)
            + _trace_pick(pipeline, focus)
        )

    return StepView((truth_layer(pipeline, visible=False),), _heat(pipeline, focus), build_text)


def _trace_pick(pipeline: Pipeline, focus: Focus) -> Markup:
    """Returns where the features at the picked location come from, or how to see that."""
    if focus.pick is None:
        return Markup('<p class="hint">{}</p>').format(HINT)
    return build_feature_report(pipeline, (focus.pick.x, focus.pick.y))


def _say_precision(pipeline: Pipeline) -> Markup:
    """Returns what bfloat16 changes in this picture, and whether it is fast here; nothing in single precision."""
    if pipeline.config.inference.precision == "fp32":
        return Markup()
    speed = "has" if is_bf16_fast(pipeline.batch.pixels.device) else "has no"
    end = f"The processor of this page {speed} instructions for it."
    try:
        change = pipeline.rounding
    except PostponedError:
        return html.paragraph(f"The network computes in bf16. {end}")
    return html.paragraph(
        f"The network computes in bf16: of all scores of this picture, the one that differs most from fp32 does so by "
        f"{change:.4f}. {end}"
    )


def _heat(pipeline: Pipeline, focus: Focus) -> Heat:
    if focus.map == "scores":
        return score_heat(pipeline, focus.level, key="features")
    pyramid = pipeline.pyramid
    names, maps = (BACKBONE, pyramid.body) if focus.map == "body" else (LEVELS, pyramid.levels)
    level = min(focus.level, len(maps) - 1)  # the backbone ends with C5
    activity = maps[level][0].abs().mean(dim=0)  # [rows, columns]
    return level_heat(pipeline, names[level], activity, key="features", label="mean |feature|")


def _sizes(pipeline: Pipeline) -> Markup:
    parts, costs = pipeline.parts, pipeline.costs
    total, trainable = sum(part.parameters for part in parts), sum(part.trainable for part in parts)
    text = html.facts(
        [
            ("parameters", f"{total / 1e6:.1f} M"),
            ("trainable", html.percent(trainable / total)),
            ("compute per image", f"{costs.gflops:.1f} GFLOP"),
            (
                f"memory to train on {pipeline.config.training.batch_size} images",
                f"{costs.training_bytes / 2**30:.2f} GiB",
            ),
            ("classes", str(len(pipeline.class_names))),
        ]
    )
    rows = tuple((_name(part), html.count(part.parameters), _trains(part)) for part in parts)
    return text + html.table(html.Table("Parts", ("part", "parameters", "trainable"), rows))


def _name(part: model_costs.ModelPart) -> str:
    stage = f" (stage {STAGES.index(part.name) + 1})" if part.name in STAGES else ""
    return PART_NAMES[part.name] + stage


def _trains(part: model_costs.ModelPart) -> str:
    return "yes" if part.trainable == part.parameters else "frozen" if part.trainable == 0 else "partly"


def _size(pipeline: Pipeline, *names: str) -> str:
    return format_short(sum(part.parameters for part in pipeline.parts if part.name in names))


def _backbone_headline(pipeline: Pipeline) -> str:
    model = pipeline.config.model
    frozen = f" · {FROZEN}1–{model.freeze_stages}" if model.freeze_stages > 1 else f" · {FROZEN}1" * model.freeze_stages
    return f"ResNet-{model.depth} · {_size(pipeline, *STAGES)}{frozen}"


def _pyramid_headline(pipeline: Pipeline) -> str:
    return f"{pipeline.config.model.fpn_channels} ch · {_size(pipeline, 'fpn')}"


def _heads_headline(pipeline: Pipeline) -> str:
    convs = pipeline.config.model.num_convs
    return f"{convs}+{convs} conv · {_size(pipeline, 'class head', 'box head')}"


ITEMS = (
    StripItem(
        "body",
        "C3–C5",
        _backbone_headline,
        f"The ResNet backbone, its parameters, and its frozen stages ({FROZEN})",
        map="body",
    ),
    StripItem("pyramid", "P3–P7", _pyramid_headline, "The feature pyramid: channels and parameters", map="pyramid"),
    StripItem("heads", "Heads", _heads_headline, "Class and box subnet: convolutions and parameters", map="scores"),
)


STEP = Step(
    "network",
    "A ResNet backbone computes feature maps, the feature pyramid turns them into five levels P3–P7, and two small "
    "subnets predict for every anchor which class it shows and how to correct its box. The colours show where a map is "
    "active or, for the heads, the best class score at each location: choose the part and the level in the strip.",
    ITEMS,
    build_view,
    map_levels,
    uses_level=True,
)

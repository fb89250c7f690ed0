"""The network: ResNet body, feature pyramid, two heads; their sizes and what they see in this picture."""

from markupsafe import Markup

from core.analysis import model_costs
from core.retinanet.anchors import LEVELS
from core.weights.architecture import WeightsError
from playground.canvas.view import Heat
from playground.components import html
from playground.pipeline.pipeline import Pipeline
from playground.steps.levels import BODY, FROZEN, PART_NAMES, map_levels, short
from playground.steps.step import (
    Focus,
    Step,
    StepText,
    StepView,
    StripItem,
    is_in_section,
    level_heat,
    score_heat,
    truth_layer,
)

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows a feature map, the shapes on the way and where the parameters are."""
    try:
        pyramid = pipeline.pyramid
    except WeightsError as error:  # how large it would be can be told without weights
        text = html.paragraph(f"{error} So far this is only its size:") + _sizes(pipeline)
        return StepView(build_text=lambda: StepText(text))

    def build_text() -> StepText:
        maps = [*zip(BODY, pyramid.body, strict=True), *zip(LEVELS, pyramid.levels, strict=True)]
        shapes = tuple((name, f"{each.shape[1]} × {each.shape[2]} × {each.shape[3]}") for name, each in maps)
        table = html.Table("Maps of this picture", ("map", "channels × rows × columns"), shapes)
        return StepText(_sizes(pipeline) + html.table(table))

    return StepView((truth_layer(pipeline, visible=False),), _heat(pipeline, focus), build_text)


def _heat(pipeline: Pipeline, focus: Focus) -> Heat:
    if focus.map == "scores":
        return score_heat(pipeline, focus.level, key="features")
    pyramid = pipeline.pyramid
    names, maps = (BODY, pyramid.body) if focus.map == "body" else (LEVELS, pyramid.levels)
    level = min(focus.level, len(maps) - 1)  # above C5 the body has none
    activity = maps[level][0].abs().mean(dim=0)  # [rows, columns]
    return level_heat(pipeline, names[level], activity, key="features", label="mean |feature|")


def _sizes(pipeline: Pipeline) -> Markup:
    parts, costs = pipeline.parts, pipeline.costs
    total, trainable = sum(part.parameters for part in parts), sum(part.trainable for part in parts)
    text = html.facts(
        [
            ("parameters", f"{total / 1e6:.1f} M"),
            ("of them train", html.percent(trainable / total)),
            ("work a picture", f"{costs.gflops:.1f} GFLOP"),
            (f"to train on {pipeline.config.training.batch_size} pictures", f"{costs.training_bytes / 2**30:.2f} GiB"),
            ("classes", str(len(pipeline.class_names))),
        ]
    )
    rows = tuple((_name(part), html.count(part.parameters), _trains(part)) for part in parts)
    return text + html.table(html.Table("Parameters", ("part", "number", "trains"), rows))


def _name(part: model_costs.ModelPart) -> str:
    stage = f" (stage {STAGES.index(part.name) + 1})" if part.name in STAGES else ""
    return PART_NAMES[part.name] + stage


def _trains(part: model_costs.ModelPart) -> str:
    return "yes" if part.trainable == part.parameters else "frozen" if part.trainable == 0 else "partly"


def _size(pipeline: Pipeline, *names: str) -> str:
    return short(sum(part.parameters for part in pipeline.parts if part.name in names))


def _body(pipeline: Pipeline) -> str:
    model = pipeline.config.model
    frozen = f" · {FROZEN}1–{model.freeze_stages}" if model.freeze_stages > 1 else f" · {FROZEN}1" * model.freeze_stages
    return f"ResNet-{model.depth} · {_size(pipeline, *STAGES)}{frozen}"


def _pyramid(pipeline: Pipeline) -> str:
    return f"{pipeline.config.model.fpn_channels} ch · {_size(pipeline, 'fpn')}"


def _heads(pipeline: Pipeline) -> str:
    convs = pipeline.config.model.num_convs
    return f"{convs}+{convs} conv · {_size(pipeline, 'class head', 'box head')}"


PARTS = (
    StripItem("body", "C3–C5", _body, f"The ResNet body, its parameters, and its frozen stages ({FROZEN})", map="body"),
    StripItem("pyramid", "P3–P7", _pyramid, "The feature pyramid: channels and parameters", map="pyramid"),
    StripItem("heads", "Heads", _heads, "Class and box subnet: convolutions and parameters", map="scores"),
)


STEP = Step(
    "network",
    "Network",
    "A ResNet body turns the picture into maps, the feature pyramid into five levels P3–P7, and two small subnets say "
    "for every anchor what it shows and how to correct its box. The colours show where a map is active or, for the "
    "heads, the best class score at each place: choose part and level in the strip.",
    is_in_section("model"),
    PARTS,
    build_view,
    map_levels,
    uses_level=True,
)

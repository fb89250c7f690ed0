"""When a hyperparameter acts: each condition is proved by computing what its hyperparameter has an effect on."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from core.config import Check, Circumstances, Config, ConfigError, Effect, knobs
from core.data.sources import open_data
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners import NetworkView, assign_anchors
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.losses import ForegroundAverage, GradientAverage, anchor_losses, total_loss, weigh_classes
from core.retinanet.model import RetinaNet, build_model
from core.retinanet.predict import detect
from core.retinanet.preprocess import prepare
from core.retinanet.tiles import is_tiled
from core.scenes.render import render_scene
from core.training.augmentation.augment import augment
from core.training.early_stopping import EarlyStopping
from core.training.optimization.optimizer import Schedule, build_optimizer
from core.training.records import StepRecord
from core.training.samples import TrainingStream
from core.training.trainer import Trainer
from core.weights.sources import adopt, build, has_new_heads, weights_for
from tests.core.networks import CONFIG, make_small_body, spread_scores


class Case(NamedTuple):
    """A configuration in which a hyperparameter acts, or does not.

    Attributes:
        settings: The settings, by path.
        known: The circumstances, by name.
        refused: Whether other values are refused there, instead of having no effect.
    """

    settings: Mapping[str, Any] = MappingProxyType({})
    known: Mapping[str, bool] = MappingProxyType({})
    refused: bool = False

    @property
    def config(self) -> Config:
        return Config.from_flat(dict(self.settings))

    @property
    def circumstances(self) -> Circumstances:
        return Circumstances(**self.known)


NEW, RANDOM = {"model.heads": "new"}, {"model.weights": "random"}
OTHER_PICTURE = [Case({}, {"generated": False})]
EMPTY = [*OTHER_PICTURE, Case({"scenes.empty_share": 1})]
NONE_PASSES = {"inference.score_threshold": 1}
STANDS_STILL = {"training.learning_rate": 0}
COMBINING = ("mosaic_probability", "copy_paste_probability")
JITTERS = ("scale_jitter", "crop_probability", "colour_jitter", "noise_jitter")


def settings_of(path: str, *values: Any) -> list[Case]:
    return [Case({path: value}) for value in values]


# The settings of some classification losses, and these losses.
OF_KINDS: dict[str, tuple[str, ...]] = {
    "loss.alpha": ("focal", "poly1_focal", "balanced_cross_entropy", "cutoff"),
    "loss.gamma": ("focal", "poly1_focal", "varifocal"),
    "loss.poly1_epsilon": ("poly1_focal",),
    "loss.quality_beta": ("quality_focal",),
    "loss.varifocal_alpha": ("varifocal",),
    "loss.ghm_bins": ("ghm",),
    "loss.ghm_momentum": ("ghm",),
    "loss.cutoff": ("cutoff",),
    "loss.ohem_anchors": ("ohem",),
    "loss.ohem_nms_threshold": ("ohem",),
    "loss.ohem_one_to_three": ("ohem",),
}
# For every hyperparameter, where it acts and where it does not.
ACTS: dict[str, list[Case]] = {
    "model.prior_probability": [Case(NEW), Case(RANDOM), Case({}, {"new_classes": True})],
    **{f"model.{name}": [Case(RANDOM)] for name in ("depth", "fpn_channels", "p6_source")},
    "model.head_norm": [Case(NEW)],
    "model.head_groups": [Case(NEW)],
    "model.num_convs": [Case(NEW)],
    **{path: settings_of("loss.kind", *kinds) for path, kinds in OF_KINDS.items()},
    "loss.class_weights": [Case({}, {"several_classes": True}), Case()],
    "loss.class_weights_beta": settings_of("loss.class_weights", "effective_number"),
    "loss.smooth_l1_beta": settings_of("loss.box_loss", "smooth_l1"),
    "loss.normaliser": [Case({}, {"single_image": False}), Case()],
    "matching.atss_topk": settings_of("matching.assigner", "atss"),
    "inference.tile_overlap": [Case({"inference.tile_size": 64}, {"tiled": True}), Case({"inference.tile_size": 64})],
    "inference.nms_threshold": settings_of("inference.nms_kind", "hard", "diou", "wbf"),
    "inference.soft_nms_sigma": settings_of("inference.nms_kind", "soft"),
    "inference.class_agnostic_nms": [
        Case({}, {"several_classes": True}),
        *settings_of("inference.nms_kind", "diou", "wbf"),
        Case({"inference.nms_kind": "soft", "inference.nms_threshold": 1}),
    ],
    "training.momentum": settings_of(
        "training.optimizer", "sgd", "rmsprop", "adam", "adamw", "adamax", "nadam", "radam"
    ),
    "training.decay_factor": settings_of("training.schedule", "step", "multi_step", "exponential", "cyclic", "plateau"),
    "training.decay_period": settings_of("training.schedule", "step", "cyclic", "plateau"),
    "training.milestones": settings_of("training.schedule", "multi_step"),
    "training.cache_features": [Case({"model.freeze_stages": 5})],
    "training.repeat_threshold": settings_of("training.sampler", "repeat_factor"),
    "model.batch_norm": settings_of("model.freeze_stages", 0, 4),
}
IDLE: dict[str, list[Case]] = {
    "model.heads": settings_of("model.weights", "random"),
    "model.head_norm": [Case({**NEW, "model.num_convs": 0})],
    "model.head_groups": [Case({**NEW, "model.head_norm": "none"}), Case({**NEW, "model.num_convs": 0})],
    "model.prior_probability": [Case({}, {"new_classes": False})],
    "model.batch_norm": settings_of("model.freeze_stages", 5),
    "matching.bg_iou_threshold": settings_of("matching.assigner", "atss", "simota"),
    "matching.fg_iou_threshold": settings_of("matching.assigner", "atss", "simota"),
    "matching.force_best_match": [
        Case({"matching.fg_iou_threshold": 0, "matching.bg_iou_threshold": 0}),
        *settings_of("matching.assigner", "atss", "simota"),
    ],
    "matching.atss_topk": settings_of("matching.assigner", "max_iou", "simota"),
    **{
        path: settings_of("loss.kind", *(kind for kind in knobs()["loss.kind"].choices if kind not in kinds))
        for path, kinds in OF_KINDS.items()
    },
    "loss.ghm_momentum": [
        *settings_of("loss.kind", *(kind for kind in knobs()["loss.kind"].choices if kind != "ghm")),
        Case({"loss.kind": "ghm"}, {"single_image": True}),
    ],
    "loss.class_weights": [Case({}, {"several_classes": False})],
    "loss.class_weights_beta": [
        *settings_of("loss.class_weights", "none", "inverse_frequency"),
        Case({"loss.class_weights": "effective_number"}, {"several_classes": False}),
    ],
    "loss.box_loss": settings_of("loss.box_weight", 0),
    "loss.smooth_l1_beta": [*settings_of("loss.box_loss", "l1", "giou", "diou", "ciou"), Case({"loss.box_weight": 0})],
    "loss.normaliser": [Case({}, {"single_image": True})],
    "inference.tile_size": [Case(NONE_PASSES)],
    "inference.test_time_flip": [Case(NONE_PASSES)],
    "inference.test_time_scales": [Case(NONE_PASSES)],
    "inference.tile_overlap": [
        Case(),
        Case({"inference.tile_size": 1024}, {"tiled": False}),
        Case({**NONE_PASSES, "inference.tile_size": 64}),
    ],
    "inference.topk_candidates": [Case(NONE_PASSES)],
    "inference.nms_kind": [Case(NONE_PASSES)],
    "inference.max_detections": [Case(NONE_PASSES)],
    "inference.nms_threshold": [*settings_of("inference.nms_kind", "soft"), Case(NONE_PASSES)],
    "inference.soft_nms_sigma": [
        *settings_of("inference.nms_kind", "hard", "diou", "wbf"),
        Case({**NONE_PASSES, "inference.nms_kind": "soft"}),
    ],
    "inference.class_agnostic_nms": [
        *(Case({"inference.nms_kind": kind, "inference.nms_threshold": 1}) for kind in ("hard", "diou", "wbf")),
        Case(NONE_PASSES),
        Case({}, {"several_classes": False}),
    ],
    **{
        f"training.{name}": [Case(STANDS_STILL)]
        for name in ("optimizer", "weight_decay", "schedule", "warmup_steps", "clip_norm")
    },
    "training.momentum": [*settings_of("training.optimizer", "adagrad", "adadelta", "asgd"), Case(STANDS_STILL)],
    "training.decay_factor": [
        *settings_of("training.schedule", "constant", "cosine", "one_cycle"),
        Case({**STANDS_STILL, "training.schedule": "step"}),
    ],
    "training.decay_period": [
        *settings_of("training.schedule", "constant", "multi_step", "exponential", "cosine", "one_cycle"),
        *(Case({"training.schedule": name, "training.decay_factor": 1}) for name in ("step", "cyclic", "plateau")),
    ],
    "training.milestones": [
        *settings_of(
            "training.schedule", "constant", "step", "exponential", "cosine", "cyclic", "one_cycle", "plateau"
        ),
        Case({"training.schedule": "multi_step", "training.decay_factor": 1}),
    ],
    "training.cache_features": [
        Case({"model.freeze_stages": 4}, refused=True),
        *(Case({"model.freeze_stages": 5, f"training.{name}": 0.1}, refused=True) for name in (*JITTERS, *COMBINING)),
    ],
    "training.early_stopping": [Case({"training.eval_interval": 0}, refused=True)],
    "training.repeat_threshold": [Case()],
    "training.accumulation": [Case({"training.batch_size": 1}), Case({"loss.kind": "ghm"}, refused=True)],
    **{f"scenes.{name}": OTHER_PICTURE for name in ("seed", "image_size", "clutter", "noise", "empty_share")},
    **{
        f"scenes.{name}": EMPTY
        for name in ("min_objects", "max_objects", "min_size", "max_size", "elongation", "imbalance")
    },
    "scenes.overlap": [*EMPTY, Case({"scenes.min_objects": 1, "scenes.max_objects": 1})],
}
ALWAYS = {  # whatever the other settings are
    "model": "weights depth fpn_channels num_convs norm_eps p6_source freeze_stages",
    "anchors": "size_p3 size_p4 size_p5 size_p6 size_p7 scales ratios convention",
    "matching": "assigner",
    "loss": "kind box_weight",
    "inference": "image_size max_image_size precision score_threshold",
    "training": "steps batch_size sampler learning_rate ema_decay precision seed eval_interval eval_images "
    "flip_probability scale_jitter crop_probability colour_jitter noise_jitter mosaic_probability "
    "copy_paste_probability",
}


def test_every_hyperparameter_always_acts_or_has_a_case_where_it_does_not():
    always = [f"{section}.{name}" for section, names in ALWAYS.items() for name in names.split()]
    assert sorted([*always, *IDLE]) == sorted(knobs())
    assert [path for path, knob in knobs().items() if knob.conditions] == [path for path in knobs() if path in IDLE]


def test_every_condition_names_what_exists_and_reads_well():
    for path, knob in knobs().items():
        for condition in knob.conditions:
            assert condition.words.split()[0] in ("when", "while", "in", "on"), path
            assert not condition.words.endswith(".") and "_" not in condition.words and len(condition.words) < 80, path
            for check in condition.checks:
                assert check.of in knobs() or check.of in Circumstances._fields, path
                if check.of in knobs() and knobs()[check.of].kind == "choice":
                    assert set(check.values) < set(knobs()[check.of].choices), path


@pytest.mark.parametrize(
    ("check", "holding", "failing"),
    [
        (Check("a", ("x", "y")), ["x", "y", None], ["z", 0]),
        (Check("a", excluded=("x",)), ["y", None], ["x"]),
        (Check("a", above=0), [0.1, None], [0, -1]),
        (Check("a", below=1), [0.9], [1, 2]),
        (Check("a", (True,)), [True, None], [False]),
    ],
)
def test_a_check_holds_for_its_values_and_what_is_not_known(check, holding, failing):
    assert all(check.holds(value) for value in holding) and not any(check.holds(value) for value in failing)


@pytest.mark.parametrize(
    ("path", "settings", "reason"),
    [
        ("loss.ohem_anchors", {}, "acts when the loss is OHEM"),
        ("loss.ohem_anchors", {"loss.kind": "ohem"}, ""),
        ("loss.smooth_l1_beta", {"loss.box_loss": "giou"}, "acts when the box loss is smooth L1"),
        ("loss.smooth_l1_beta", {"loss.box_weight": 0}, "acts when the box loss weight is above 0"),
        ("training.milestones", {"training.learning_rate": 0}, "acts when the schedule is multi-step"),
        (
            "training.decay_factor",
            {**STANDS_STILL, "training.schedule": "step"},
            "acts when the learning rate is above 0",
        ),
    ],
)
def test_the_reason_is_that_of_the_first_condition_that_fails(path, settings, reason):
    """Or, if what it depends on does not act itself, the reason of that."""
    assert knobs()[path].idle_reason(Config.from_flat(settings)) == reason


def test_what_is_not_known_may_let_it_act():
    assert knobs()["model.prior_probability"].acts(Config())
    assert knobs()["scenes.noise"].acts(Config()) and knobs()["loss.normaliser"].acts(Config())
    assert knobs()["inference.tile_overlap"].acts(Config.from_flat({"inference.tile_size": 64}))


@pytest.mark.parametrize("settings", [{}, NEW, RANDOM, {"model.weights": "imagenet"}, {"model.weights": "a.pth"}])
def test_the_prior_acts_on_new_heads(settings):
    config = Config.from_flat(settings)
    acts = knobs()["model.prior_probability"].acts(config, Circumstances(new_classes=False))
    assert acts == has_new_heads(config.model)


def fits(path: str, value: Any, case: Case) -> bool:
    try:
        return case.config.replace({path: value}) != case.config
    except ConfigError:
        return False


OTHERS: dict[str, Iterable[Any]] = {  # where the ends of the slider take long or change nothing
    "model.weights": ["random"],
    "model.depth": [34],
    "model.head_groups": [1, 8],
    "model.fpn_channels": [32],
    "model.num_convs": [0, 2],
    "inference.image_size": [32],
    "inference.max_image_size": [64],
    "inference.tile_size": [0, 32, 64],
    "inference.test_time_scales": [(1.0,), (0.5, 1.0), (1.0, 2.0)],
    "inference.topk_candidates": [1, 7],
    "inference.max_detections": [1, 3],
    "loss.ohem_anchors": [1, 4000],
    "loss.class_weights_beta": [0, 0.9],
    "training.steps": [1],
    "training.batch_size": [1],
    "training.learning_rate": [0, 1e-4],
    "training.seed": [1],
    "training.eval_interval": [0, 1],
    "training.eval_images": [1],
    "training.warmup_steps": [0, 50],
    "training.cache_features": [1],
    "training.early_stopping": [1],
    "training.accumulation": [2],
    "training.repeat_threshold": [0, 1],
    "scenes.seed": [1],
    "scenes.image_size": [96],
}


def other_values(path: str, config: Config) -> list[Any]:
    """Returns other values of a hyperparameter, among them the ends of its range."""
    knob, value = knobs()[path], config.to_flat()[path]
    by_kind = {
        "bool": lambda: (False, True),
        "choice": lambda: knob.choices,
        "list": lambda: ((0.5,), (0.25, 0.9)),
        "int": lambda: (knob.ge, knob.le),
        "float": lambda: (knob.ge, knob.le, (knob.ge + knob.le) / 2),
    }
    others = OTHERS[path] if path in OTHERS else by_kind[knob.kind]()
    return [other for other in others if other != value]


def compute(path: str, case: Case, config: Config) -> Any:
    """Returns what a hyperparameter has its declared effect on, comparable by value."""
    return compute_once(choose_function(path, case), config, case.circumstances)


def choose_function(path: str, case: Case) -> Callable[[Config, Circumstances], Any]:
    other_picture = path.startswith("scenes.") and case.known.get("generated") is False
    return compute_losses if other_picture else COMPUTE.get(path, COMPUTE_EFFECT[knobs()[path].effect])


@cache
def compute_once(function: Callable[[Config, Circumstances], Any], config: Config, known: Circumstances) -> Any:
    return function(config, known)


def freeze_values(value: Any) -> Any:
    """Returns tensors, however nested, as bytes: NaNs are equal then."""
    if isinstance(value, torch.Tensor):
        value = value.detach() + 0.0 if value.is_floating_point() else value.detach()  # without negative zeros
        return tuple(value.shape), value.contiguous().numpy().tobytes()
    if isinstance(value, dict):
        return {key: freeze_values(each) for key, each in value.items()}
    return tuple(map(freeze_values, value)) if isinstance(value, tuple | list) else value


def with_defaults(config: Config, **values: Any) -> Config:
    """Returns settings with other values by path where they are not set explicitly."""
    return config.replace({**values, **config.explicit_values()})


PICTURE = torch.randint(0, 256, (3, 100, 140), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
SIDES = {"inference.image_size": 64}
OBJECTS = torch.tensor([[8.0, 8, 60, 50], [70, 20, 90, 44], [72, 50, 76, 54], [0, 0, 96, 60]])


def compute_scenes(config: Config, known: Circumstances) -> Any:
    return freeze_values([render_scene(config.scenes, index) for index in range(3)])


def compute_outputs(config: Config, known: Circumstances) -> Any:
    """The outputs for a picture of the network with which training starts."""
    config = with_defaults(config, **SIDES)
    torch.manual_seed(0)
    weights = weights_for(config, free=True)
    config = adopt(config, weights, free=True)
    new_classes = bool(known.new_classes)
    count = 6 if weights.architecture is None or new_classes else None
    model = build(config, weights, num_classes=count, new_classes=new_classes)
    batch = prepare([PICTURE], config.inference)
    with torch.inference_mode():
        return freeze_values([*model(batch.pixels)[:2], batch.sizes])


def compute_anchors(config: Config, known: Circumstances) -> Any:
    return freeze_values(make_anchors(config.anchors, 100, 140).boxes)


def compute_match(config: Config, known: Circumstances) -> Any:
    grid, rng = make_anchors(config.anchors, 64, 96), torch.Generator().manual_seed(0)
    logits, deltas = (torch.randn(len(grid.boxes), size, generator=rng) / 9 for size in (3, 4))
    view = NetworkView(logits, deltas, torch.tensor([0, 2, 1, 0]))
    return freeze_values(assign_anchors(grid, OBJECTS, config.matching, view))


def compute_losses(config: Config, known: Circumstances) -> Any:
    """The loss of each anchor and its gradient; of one picture, or of three steps of training with two pictures."""
    single = known.single_image
    rng, average, results = torch.Generator().manual_seed(0), ForegroundAverage(), []
    gradients = GradientAverage(config.loss.ghm_momentum)
    anchors = make_anchors(config.anchors, 64, 96).boxes
    class_counts = [5.0] if known.several_classes is False else [5.0, 1, 50]
    weights = weigh_classes(class_counts, config.loss)
    for _ in range(1 if single else 3):
        logits = (torch.randn(2, len(anchors), len(class_counts), generator=rng) - 2).requires_grad_()
        deltas = (torch.randn(2, len(anchors), 4, generator=rng) / 9).requires_grad_()
        losses = []
        for row, boxes in enumerate((OBJECTS, OBJECTS[:1])[: 1 if single else 2]):
            match = match_anchors(anchors, boxes, config.matching)
            labels = torch.tensor([0, 2, 1, 0])[: len(boxes)] % len(class_counts)
            found = anchor_losses(logits[row], deltas[row], anchors, match, boxes, labels, config.loss, weights)
            losses.append(found)
        foreground = sum(int(each.foreground) for each in losses)
        moving = config.loss.normaliser == "moving_average"
        divisor = None if single else average.update(foreground) if moving else foreground
        bins = [each.bins.counts for each in losses if each.bins]
        counts = gradients.update(torch.stack(bins).sum(dim=0)) if bins and not single else None
        total = total_loss(losses, config.loss, divisor, counts)
        total.total.backward()
        results += [losses, total, logits.grad, deltas.grad]
    return freeze_values(results)


@cache
def make_network(num_classes: int) -> RetinaNet:
    torch.manual_seed(0)
    model = build_model(CONFIG.model, num_classes=num_classes, anchors_per_location=3).eval()
    with torch.no_grad():
        model.head["regression_head"].bbox_reg.weight.normal_(std=0.02)
    spread_scores(model, PICTURE, CONFIG.replace(SIDES))
    return model


def compute_detections(config: Config, known: Circumstances) -> Any:
    config = config.replace({**CONFIG.explicit_values(), **SIDES, **config.explicit_values()})
    if known.tiled is not None:
        assert is_tiled(*PICTURE.shape[1:], config.inference) == known.tiled
    model = make_network(1 if known.several_classes is False else 3)
    return freeze_values(detect(model, [PICTURE], config))


def compute_rates(config: Config, known: Circumstances) -> Any:
    """The learning rates of a run of twenty steps whose loss rises."""
    schedule, rates = Schedule(config.replace({"training.steps": 20}).training), []
    for step in range(20):
        rates.append(schedule.rate(step))
        schedule.observe(1 + step)
    return rates


def compute_updates(config: Config, known: Circumstances) -> Any:
    """The weights of a layer after three steps."""
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimizer = build_optimizer(layer, config.training)
    for step in range(3):
        optimizer.zero_grad()
        (100 * layer(torch.full((1, 3), step + 1.0))).square().sum().backward()
        torch.nn.utils.clip_grad_norm_(layer.parameters(), config.training.clip_norm or math.inf)
        optimizer.step()
    return freeze_values(list(layer.parameters()))


def compute_augmented(config: Config, known: Circumstances) -> Any:
    sample = render_scene(SMALL_SCENES.scenes, 0)
    return [freeze_values(augment(sample, config.training, torch.Generator().manual_seed(seed))) for seed in range(6)]


def compute_combined(config: Config, known: Circumstances) -> Any:
    stream = TrainingStream(open_data("scenes", "train", SMALL_SCENES.scenes, 8), config)
    return [freeze_values(stream[position].sample) for position in range(6)]


def compute_stops(config: Config, known: Circumstances) -> Any:
    """After which evaluations a run would end, whose held-out loss rises."""
    stopping, model, due = EarlyStopping(config.training.early_stopping), make_network(3), []
    for step in range(1, 4):
        stopping.observe(step, float(step), model)
        due.append(stopping.is_due)
    return due


def make_tiny_network() -> RetinaNet:
    """Returns a RetinaNet with a ResNet of one block a stage."""
    torch.manual_seed(0)
    return build_model(CONFIG.model, num_classes=6, anchors_per_location=3, body=make_small_body())


SMALL_SCENES = Config.from_flat({"scenes.image_size": 64, "scenes.min_objects": 1, "scenes.min_size": 0.3})
SMALL_RUN = {**SMALL_SCENES.explicit_values(), **CONFIG.explicit_values(), "inference.image_size": 64} | {
    "training.steps": 2, "training.batch_size": 2, "training.eval_interval": 0, "training.eval_images": 2,
    "training.warmup_steps": 0,
}  # fmt: skip


def compute_run(config: Config, known: Circumstances) -> Any:
    """The records of a short run, without its speed, and the network it trains."""
    config = with_defaults(config, **SMALL_RUN)
    train, validation = (open_data("scenes", split, config.scenes, 8) for split in ("train", "val"))
    trainer = Trainer(make_tiny_network(), config)
    records = [
        each._replace(images_per_second=0) if isinstance(each, StepRecord) else each
        for each in trainer.run(train, validation)
    ]
    return freeze_values([list(map(str, records)), trainer.result.state_dict()])


COMPUTE_EFFECT: dict[Effect, Callable[[Config, Circumstances], Any]] = {
    Effect.DATA: compute_scenes,
    Effect.FORWARD: compute_outputs,
    Effect.ANCHORS: compute_anchors,
    Effect.ASSIGN: compute_match,
    Effect.LOSS: compute_losses,
    Effect.VIEWS: compute_detections,
    Effect.SELECT: compute_detections,
    Effect.SUPPRESS: compute_detections,
    Effect.TRAIN: compute_run,
}
COMPUTE = {  # by path, parts of a run
    **dict.fromkeys(
        [f"training.{name}" for name in ("schedule", "warmup_steps", "decay_factor", "decay_period", "milestones")],
        compute_rates,
    ),
    **dict.fromkeys(
        [f"training.{name}" for name in ("optimizer", "momentum", "weight_decay", "clip_norm")], compute_updates
    ),
    **dict.fromkeys([f"training.{name}" for name in ("flip_probability", *JITTERS)], compute_augmented),
    **dict.fromkeys([f"training.{name}" for name in COMBINING], compute_combined),
    "training.early_stopping": compute_stops,
    "inference.precision": compute_detections,
}


def cases(table: dict[str, list[Case]]) -> list[Any]:
    return [
        pytest.param(
            path,
            case,
            id=f"{path} {dict(case.settings)} {dict(case.known)}",
            marks=[pytest.mark.slow] if choose_function(path, case) in (compute_run, compute_outputs) else [],
        )
        for path in table
        for case in table[path]
    ]


@pytest.mark.parametrize(("path", "case"), cases(IDLE))
def test_an_idle_hyperparameter_changes_nothing(path, case):
    knob = knobs()[path]
    assert knob.idle_reason(case.config, case.circumstances).startswith("acts ")
    assert not knob.acts(case.config, case.circumstances)
    before = compute(path, case, case.config)
    changed = 0
    for value in other_values(path, case.config):
        try:
            config = case.config.replace({path: value})
        except ConfigError:
            continue
        changed += 1
        assert compute(path, case, config) == before, value
    assert bool(changed) != case.refused


@pytest.mark.parametrize(("path", "case"), cases({path: ACTS.get(path, [Case()]) for path in knobs()}))
def test_an_acting_hyperparameter_changes_something(path, case):
    assert knobs()[path].acts(case.config, case.circumstances)
    if path == "training.cache_features":  # the training is the same, and faster
        return
    before = compute(path, case, case.config)
    changed = [
        case.config.replace({path: value}) for value in other_values(path, case.config) if fits(path, value, case)
    ]
    assert any(compute(path, case, config) != before for config in changed)

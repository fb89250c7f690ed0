"""When a hyperparameter acts: each condition is proved by computing what its hyperparameter has an effect on."""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from core.config import Check, Circumstances, Config, ConfigError, Effect, knobs
from core.data.dataset import DataSet
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
from core.structures import Sample
from core.training.augmentation.augment import augment
from core.training.optimization.optimizer import Schedule, build_optimizer
from core.training.records import EvaluationProgress, StepRecord
from core.training.samples import TrainingStream
from core.training.trainer import Trainer
from core.weights.sources import adopt, build, has_new_heads, weights_for
from tests.core.config.acting import ACTS, COMBINING, IDLE, JITTERS, NEW, RANDOM, STANDS_STILL, Case, other_values
from tests.core.networks import CONFIG, make_small_body, spread_scores

ALWAYS = {  # whatever the other settings are
    "model": "weights depth fpn_channels num_convs norm_eps p6_source freeze_stages",
    "anchors": "size_p3 size_p4 size_p5 size_p6 size_p7 scales ratios convention",
    "matching": "assigner",
    "loss": "kind box_weight",
    "inference": "image_size max_image_size precision score_threshold",
    "training": "steps batch_size sampler learning_rate precision seed eval_images flip_probability scale_jitter "
    "crop_probability colour_jitter noise_jitter mosaic_probability copy_paste_probability",
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
                assert check.below_value_of in ("", *knobs()), path
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
        ("loss.gamma", {"loss.kind": "varifocal", "loss.varifocal_alpha": 0}, "acts when α (varifocal) is above 0"),
        ("training.early_stopping", {"training.steps": 50}, "acts when the run is evaluated before its end"),
        ("training.early_stopping", {"training.steps": 51}, ""),
    ],
)
def test_the_reason_is_that_of_the_first_condition_that_fails(path, settings, reason):
    """Or, if what it depends on does not act itself, the reason of that."""
    assert knobs()[path].idle_reason(Config.from_flat(settings)) == reason


def test_a_check_may_compare_with_another_value():
    check = Check("a", above=0, below_value_of="b.c")
    assert check.holds(4, 5) and not check.holds(5, 5) and not check.holds(0, 5)
    assert knobs()["training.early_stopping"].depends_on == {"training.eval_interval", "training.steps"}


def test_no_condition_leads_back_to_its_own_hyperparameter():
    """Of two that depend on each other both could be idle, and left out or reset together they would act."""

    def follow(path: str, above: tuple[str, ...]) -> None:
        assert path not in above, above
        for other in knobs()[path].depends_on & knobs().keys():
            follow(other, (*above, path))

    for path in knobs():
        follow(path, ())


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
    """The loss of each anchor and its gradient; of one picture, or of up to three steps with two pictures."""
    single = known.single_image
    rng, average, results = torch.Generator().manual_seed(0), ForegroundAverage(), []
    gradients = GradientAverage(config.loss.ghm_momentum)
    anchors = make_anchors(config.anchors, 64, 96).boxes
    class_counts = [5.0] if known.several_classes is False else [5.0, 1, 50]
    weights = weigh_classes(class_counts, config.loss)
    for _ in range(1 if single else min(3, config.training.steps)):
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
    """The learning rates of a run, by default of twenty steps, whose loss rises."""
    training = with_defaults(config, **{"training.steps": 20}).training
    schedule, rates = Schedule(training), []
    for step in range(training.steps):
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


class RisingTrainer(Trainer):
    """A trainer that computes nothing: its weights are the number of its steps, and so is its held-out loss."""

    def _train_step(self, samples: list[Sample], started: float) -> StepRecord:
        self.step += 1
        self.model.backbone.body["conv1"].weight.data.fill_(self.step)
        return StepRecord(self.step, 0.0, 0.0, 0.0, 0, 0.0, 0.0)

    def _evaluate(self, validation: DataSet) -> Iterator[EvaluationProgress]:
        self._early_stopping.observe(self.step, float(self.step), self.result)
        yield EvaluationProgress(self.step, 0, 0)


def compute_stops(config: Config, known: Circumstances) -> Any:
    """The records of a run whose held-out loss rises, how it ends, and the weights that it keeps."""
    config = with_defaults(config, **{**SMALL_RUN, "training.steps": 3, "training.eval_interval": 1})
    train, validation = (open_data("scenes", split, config.scenes, 8) for split in ("train", "val"))
    trainer = RisingTrainer(make_tiny_network(), config)
    records = list(trainer.run(train, validation))
    with trainer.hold_last_step() as kept:
        return freeze_values([records, trainer.ending, kept.backbone.body["conv1"].weight])


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

"""Notes on flags that have no effect: the command does not use the hyperparameter, or it does not act."""

from argparse import Namespace
from collections.abc import Iterator

from core.config import POSTPROCESSING, Circumstances, Config, Effect, Knob, knobs
from core.experiments.presets import PRESETS

PRIOR = "model.prior_probability"  # of heads that are initialised, which only training does
PRECISION = "inference.precision"  # of predictions, which neither analyses nor steps of training make
ALL = frozenset(knobs())
SCENES = frozenset(path for path in ALL if path.startswith("scenes."))


def _with_effects(*effects: Effect) -> frozenset[str]:
    return frozenset(path for path, knob in knobs().items() if knob.effect in effects)


NETWORK = _with_effects(Effect.FORWARD) - {PRIOR}  # those of the weights are compared with them
FITTING = NETWORK - {PRECISION} | _with_effects(Effect.ANCHORS) | {"matching.fg_iou_threshold"}
DETECTING = NETWORK | _with_effects(Effect.ANCHORS, *POSTPROCESSING)
IMAGES = frozenset({"training.eval_images"})
SEED = frozenset({"training.seed"})
# The test of learning rates has a schedule of its own, and evaluates nothing.
SCHEDULE = ("steps", "learning_rate", "schedule", "warmup_steps", "decay_factor", "decay_period", "milestones")
OF_TEST = {"training.steps": 100, "training.learning_rate": 1.0}  # several steps, at rates above 0
NOT_TESTED = (*SCHEDULE, "ema_decay", "cache_features", "eval_interval", "eval_images", "early_stopping")
TESTING = ALL - _with_effects(*POSTPROCESSING) - {PRECISION} - {f"training.{name}" for name in NOT_TESTED}
# Those that need known objects; nothing counts the objects of a training here.
OF_RUNS = frozenset({"loss.class_weights", "loss.class_weights_beta", "loss.ghm_momentum"})
WITH_OBJECTS = (_with_effects(Effect.ASSIGN, Effect.LOSS) | SCENES) - OF_RUNS
# The hyperparameters that each command uses; a file of weights records all of them.
USED: dict[str, frozenset[str]] = {
    "train": ALL,
    "compare": ALL,
    "find-lr": TESTING,
    "anchors": FITTING | SCENES | IMAGES | {"inference.tile_size"},  # of which it speaks itself
    "evaluate": DETECTING | SCENES | IMAGES,
    "rescue": DETECTING | SCENES | IMAGES,
    "detect": DETECTING,
    "explain": (DETECTING - _with_effects(Effect.VIEWS)) | SEED,
    "differ": (DETECTING - _with_effects(Effect.VIEWS)) | WITH_OBJECTS,
    "export": ALL,
    "check": FITTING,
    "unpack": FITTING,
    "split": SEED,
    "convert": SEED,
}
# Options with which nothing is drawn at random.
UNSEEDED = {"split": ("by", "given"), "convert": ("pictures", None), "explain": ("masks", 0)}


def describe_idle(config: Config, options: Namespace) -> Iterator[str]:
    """Yields a sentence for each flag of a hyperparameter that was given and has no effect."""
    if getattr(options, "resume", False) and options.command == "train":
        return  # the settings are those of the run
    used = _find_used(options)
    configs, circumstances = _list_configs(config, options), _describe_circumstances(config, options)
    for path in vars(options):
        if path not in knobs():
            continue
        if path not in used:
            yield f"--{path} has no effect: {options.command} does not use it."
        elif reason := _find_reason(knobs()[path], configs, circumstances):
            yield f"--{path} has no effect: it {reason}."


def _find_used(options: Namespace) -> frozenset[str]:
    """Returns the paths of the hyperparameters that a call uses."""
    option, value = UNSEEDED.get(options.command, ("command", ""))
    used = USED[options.command]
    if options.command == "differ" and options.picture is not None:
        return used - WITH_OBJECTS
    return used - SEED if getattr(options, option) == value else used


def _list_configs(config: Config, options: Namespace) -> list[Config]:
    """Returns the settings that a command uses: one, or those of each variant that it compares."""
    if options.command == "find-lr":
        return [config.replace(OF_TEST)]
    if options.command != "compare":
        by_threshold = "matching.assigner" not in _find_used(options)  # fits are measured by it under each assigner
        return [config.replace({"matching.assigner": "max_iou"}) if by_threshold else config]
    preset = PRESETS[options.preset]
    return [preset.config(variant, 0, **config.explicit_values()) for variant in preset.variants]


def _describe_circumstances(config: Config, options: Namespace) -> Circumstances:
    """Returns the circumstances that the settings alone determine, before data and weights are read."""
    generated = getattr(options, "data", "scenes") == "scenes"
    trains = options.command in ("train", "compare", "find-lr")
    same_classes = not trains or (generated and config.model.weights == "builtin")
    return Circumstances(
        generated=generated,
        single_image=False,
        several_classes=True if generated and trains else None,
        new_classes=False if same_classes else None,
    )


def _find_reason(knob: Knob, configs: list[Config], circumstances: Circumstances) -> str:
    """Returns why a hyperparameter does not act under any of the settings, "" if it acts under some."""
    reasons = [knob.idle_reason(config, circumstances) for config in configs]
    return reasons[0] if all(reasons) else ""

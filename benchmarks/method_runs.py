"""The methods that `benchmarks.methods` compares, and the training and evaluation of each.

Each seed has scenes, initial heads and an order of its own, which all methods share. Times are processor time on one
thread, not that of the clock, so that other work on the machine matters little. That of a step includes loading,
augmentation and the frozen backbone, but not rendering: the scenes are kept.
"""

import math
import time
from collections.abc import Mapping
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.atlas import KEPT_MEGABYTES, KeptScenes
from core.config import Config
from core.evaluation.coco_metrics import Metrics, measure_classes
from core.evaluation.dataset_predictions import Evaluation, evaluate_dataset
from core.runs.splits import Splits, order_classes
from core.runs.train import build_trainer
from core.training.distributed import make_accelerator
from core.training.feature_cache import FeatureCache
from core.training.records import EvaluationRecord, StepRecord, TrainingError
from core.training.trainer import Trainer
from core.weights.sources import adopt, build, load_weights, save_weights, weights_for

DEFAULT = "default"
TRAINING_SCENES = 400
TIMED_STEPS, UNTIMED_STEPS = 5, 2  # the first ones take longer
SETTINGS: dict[str, Any] = {
    "scenes.imbalance": 1.0,
    "scenes.image_size": 128,
    "scenes.min_size": 0.15,
    "inference.image_size": 128,
    "model.weights": "builtin",
    "model.heads": "new",
    "model.freeze_stages": 5,
    "training.steps": 120,
    "training.eval_interval": 0,
    "training.eval_images": 300,
}
FLIP: dict[str, Any] = {"inference.test_time_flip": True}
SCALES: dict[str, Any] = {"inference.test_time_scales": (1.0, 1.5)}
FUSION: dict[str, Any] = {"inference.nms_kind": "wbf", "inference.nms_threshold": 0.55}


class Method(NamedTuple):
    """A method.

    Attributes:
        name: Its name.
        settings: Those in which it differs from the default.
        tested: The equation that its code is tested against, and the file of tests, below `tests/core`.
    """

    name: str
    settings: Mapping[str, Any]
    tested: str

    @property
    def is_trained(self) -> bool:
        """True if it needs a training of its own; false for one of inference."""
        return self.name == DEFAULT or not all(path.startswith("inference.") for path in self.settings)


METHODS = (
    Method(DEFAULT, {}, "focal loss, Lin et al. 2017, equation 5: retinanet/losses/test_classification.py"),
    Method(
        "ATSS",
        {"matching.assigner": "atss"},
        "Zhang et al. 2020, algorithm 1: retinanet/assigners/test_atss.py",
    ),
    Method(
        "SimOTA",
        {"matching.assigner": "simota"},
        "Ge et al. 2021 (YOLOX), section 2.1: retinanet/assigners/test_simota.py",
    ),
    Method(
        "class weights, inverse frequency",
        {"loss.class_weights": "inverse_frequency"},
        "1/n: retinanet/losses/test_class_weights.py",
    ),
    Method(
        "class weights, effective number, β = 0.999",
        {"loss.class_weights": "effective_number", "loss.class_weights_beta": 0.999},
        "Cui et al. 2019, (1 − β)/(1 − βⁿ): retinanet/losses/test_class_weights.py",
    ),
    Method(
        "repeat-factor sampler, t = 0.3",
        {"training.sampler": "repeat_factor", "training.repeat_threshold": 0.3},
        "Gupta et al. 2019 (LVIS), max(1, √(t/f)): training/test_sampling.py",
    ),
    Method(
        "quality focal loss",
        {"loss.kind": "quality_focal"},
        "Li et al. 2020 (GFL), QFL: retinanet/losses/test_classification.py",
    ),
    Method(
        "varifocal loss",
        {"loss.kind": "varifocal"},
        "Zhang et al. 2021 (VarifocalNet), VFL: retinanet/losses/test_classification.py",
    ),
    Method(
        "Poly-1 focal loss, ε = −1",
        {"loss.kind": "poly1_focal"},
        "Leng et al. 2022, Poly-1 focal loss: retinanet/losses/test_classification.py",
    ),
    Method("GHM-C", {"loss.kind": "ghm"}, "Li et al. 2019, GHM-C: retinanet/losses/test_density.py"),
    Method(
        "cross-entropy",
        {"loss.kind": "cross_entropy"},
        "Lin et al. 2017, equation 1: retinanet/losses/test_classification.py",
    ),
    Method(
        "cross-entropy, α = 0.75",
        {"loss.kind": "balanced_cross_entropy", "loss.alpha": 0.75},
        "Lin et al. 2017, equation 3: retinanet/losses/test_classification.py",
    ),
    Method("OHEM", {"loss.kind": "ohem"}, "Lin et al. 2017, section 5.1: retinanet/losses/test_hardest.py"),
    Method(
        "cut-off loss",
        {"loss.kind": "cutoff"},
        "Lin et al. 2017, section 5.1: retinanet/losses/test_classification.py",
    ),
    Method(
        "GIoU box loss, weight 2",
        {"loss.box_loss": "giou", "loss.box_weight": 2.0},
        "torchvision's: retinanet/losses/test_box.py",
    ),
    Method(
        "mosaic, half of the pictures",
        {"training.mosaic_probability": 0.5},
        "pixels and boxes by hand: training/augmentation/test_mosaic.py",
    ),
    Method(
        "copy-paste, half of the pictures",
        {"training.copy_paste_probability": 0.5},
        "pixels and boxes by hand: training/augmentation/test_copy_paste.py",
    ),
    Method(
        "gradient accumulation, 4 parts",
        {"training.accumulation": 4},
        "the gradient of the whole batch: training/optimization/test_gradients.py",
    ),
    Method(
        "DIoU-NMS",
        {"inference.nms_kind": "diou"},
        "Zheng et al. 2020, IoU − ρ²/c²: retinanet/suppression/test_distance.py",
    ),
    Method(
        "weighted boxes fusion, IoU 0.55",
        FUSION,
        "Solovyev et al. 2021: retinanet/suppression/test_fusion.py",
    ),
    Method(
        "soft NMS, σ = 0.5",
        {"inference.nms_kind": "soft"},
        "Bodla et al. 2017, equation 3: retinanet/test_postprocess.py",
    ),
    Method("test-time flip", FLIP, "boxes mapped back exactly: retinanet/test_views.py"),
    Method("test-time scales 1, 1.5", SCALES, "boxes mapped back exactly: retinanet/test_views.py"),
    Method("flip, scales and weighted boxes fusion", {**FLIP, **SCALES, **FUSION}, "both of these"),
    Method("inference in bfloat16", {"inference.precision": "bf16"}, "single precision: retinanet/test_precision.py"),
)


class Result(NamedTuple):
    """What a method has reached with one seed; AP is None where nothing can be measured.

    Attributes:
        ap: AP of the held-out scenes.
        ap50: Their AP50.
        rare_ap: Mean AP of the rare classes.
        image_seconds: Processor time of the evaluation by held-out scene; None if there was none.
        step_seconds: Median processor time of a training step; None for a method of inference.
        seconds: Processor time of everything.
        ending: Why the training ended early, "" if it did not.
    """

    ap: float | None
    ap50: float | None
    rare_ap: float | None
    image_seconds: float | None
    step_seconds: float | None = None
    seconds: float = 0.0
    ending: str = ""


def build_config(method: Method, seed: int) -> Config:
    """Returns the settings of a method with one seed, which the scenes have, too."""
    return Config.from_flat({**SETTINGS, **method.settings, "training.seed": seed, "scenes.seed": seed})


class Bench:
    """The scenes of a seed, and the maps that its frozen backbone computes for them, which all methods share.

    The scenes are rendered at once, so that the first method is not charged for it.

    Args:
        seed: The seed.
        folder: Keeps the weights of the default.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        config = build_config(METHODS[0], seed)
        self._seed, self._stored = seed, folder / f"default-{seed}.safetensors"
        self._weights = weights_for(config)
        train = KeptScenes(config.scenes, TRAINING_SCENES, "train")
        held_out = KeptScenes(config.scenes, config.training.eval_images, "test")
        for scenes in (train, held_out):
            for index in range(len(scenes)):
                scenes[index]  # which keeps it
        self._splits = order_classes(Splits(train, held_out), self._weights.class_names)
        self._cache: FeatureCache | None = None

    def measure(self, method: Method) -> Result:
        """Trains and evaluates a method; one of inference evaluates the weights of the default."""
        started = time.process_time()
        result = self._train(method) if method.is_trained else self._infer(method)
        return result._replace(seconds=time.process_time() - started)

    def _build(self, method: Method) -> tuple[Config, Trainer]:
        config = build_config(method, self._seed)
        return build_trainer(config, self._weights, self._splits.train, make_accelerator(), free=False)

    def _train(self, method: Method) -> Result:
        step_seconds = self._time_step(method)
        config, trainer = self._build(method)
        self._cache = self._cache or FeatureCache(trainer.model.backbone.body, KEPT_MEGABYTES)
        trainer.keep_features(self._cache)
        began = 0.0
        try:
            for record in trainer.run(*self._splits):
                if isinstance(record, StepRecord):
                    began = time.process_time()
                elif isinstance(record, EvaluationRecord):
                    spent = (time.process_time() - began) / len(self._splits.validation)
                    result = _summarise(record.metrics, record.rare_ap, spent)._replace(step_seconds=step_seconds)
        except TrainingError as error:
            return Result(None, None, None, None, step_seconds, ending=str(error))
        if method.name == DEFAULT:
            names = self._splits.train.class_names
            save_weights(self._stored, trainer.result, config, names, range(len(names)))
        return result

    def _time_step(self, method: Method) -> float:
        """Returns the median processor time of a step, the backbone included."""
        _, trainer = self._build(method)
        times = [time.process_time()]
        with closing(trainer.run(*self._splits)) as records:
            for _ in islice(records, UNTIMED_STEPS + TIMED_STEPS):
                times.append(time.process_time())
        return median(after - before for before, after in list(pairwise(times))[UNTIMED_STEPS:])

    def _infer(self, method: Method) -> Result:
        weights = load_weights(str(self._stored))
        config = adopt(build_config(method, self._seed).replace({"model.heads": "loaded"}), weights)
        model, held_out = build(config, weights), self._splits.validation
        began = time.process_time()
        *_, found = evaluate_dataset(model, weights.class_names, held_out, config)
        assert isinstance(found, Evaluation)
        rare = measure_classes(self._splits.train.rare_classes, found.metrics)
        return _summarise(found.metrics, rare, (time.process_time() - began) / len(held_out))


def _summarise(metrics: Metrics, rare_ap: float, image_seconds: float) -> Result:
    return Result(
        *(None if math.isnan(each) else round(each, 5) for each in (metrics.ap, metrics.ap50, rare_ap)), image_seconds
    )


class Job(NamedTuple):
    """A method to measure with one seed."""

    method: Method
    seed: int

    @property
    def key(self) -> str:
        """Its key in the work file."""
        return f"{self.seed} {self.method.name}"

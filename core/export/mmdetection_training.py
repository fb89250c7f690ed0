"""The training, the data pipelines and the schedule of an mmdetection 3 configuration."""

from typing import Any

from core.config import Config
from core.export.framework_settings import acts

# PyTorch's names, by which mmdetection finds its optimizers.
OPTIMIZERS = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "NAdam",
    "radam": "RAdam",
    "asgd": "ASGD",
}
WITH_MOMENTUM, WITH_BETAS = ("sgd", "rmsprop"), ("adam", "adamw", "adamax", "nadam", "radam")
SECOND_BETA = 0.999
SCHEDULES = ("constant", "step", "multi_step", "exponential", "cosine")
OF_SCHEDULES = {  # what their drops are made of
    "step": ("training.decay_factor", "training.decay_period"),
    "multi_step": ("training.decay_factor", "training.milestones"),
    "exponential": ("training.decay_factor",),
}
META_KEYS = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")


def build_mmdetection_training(config: Config) -> dict[str, Any]:
    """Returns the variables of a configuration file that describe the training, by name."""
    training = config.training
    hooks: list[dict[str, Any]] = []
    if training.ema_decay:
        hooks = [{"type": "EMAHook", "momentum": round(1 - training.ema_decay, 10), "update_buffers": True}]
    return {
        **_build_data(config),
        "optim_wrapper": _build_optimizer(config),
        "param_scheduler": _build_schedule(config),
        "train_cfg": {
            "type": "IterBasedTrainLoop",
            "max_iters": training.steps,
            "val_interval": training.eval_interval or training.steps,
        },
        "custom_hooks": hooks,
        "randomness": {"seed": training.seed},
    }


def _build_data(config: Config) -> dict[str, Any]:
    """Returns the pipelines, and what they change in the data loaders of a data set's own configuration."""
    inference = config.inference
    load = {"type": "LoadImageFromFile"}
    annotations = {"type": "LoadAnnotations", "with_bbox": True}
    resize = {"type": "Resize", "scale": (inference.max_image_size, inference.image_size), "keep_ratio": True}
    flip = {"type": "RandomFlip", "prob": config.training.flip_probability}
    train = [load, annotations, resize, flip, {"type": "PackDetInputs"}]
    test = [load, resize, annotations, {"type": "PackDetInputs", "meta_keys": META_KEYS}]
    every_picture = {"filter_empty_gt": False, "min_size": 0}
    return {
        "train_dataloader": {
            "batch_size": config.training.batch_size,
            "dataset": {"filter_cfg": every_picture, "pipeline": train},
        },
        "val_dataloader": {"dataset": {"pipeline": test}},
        "test_dataloader": {"dataset": {"pipeline": test}},
    }


def _build_optimizer(config: Config) -> dict[str, Any]:
    training = config.training
    clips = training.clip_norm and acts(config, "training.clip_norm")
    optimizer: dict[str, Any] = {
        "type": OPTIMIZERS[training.optimizer],
        "lr": training.learning_rate,
        "weight_decay": training.weight_decay,  # which `paramwise_cfg` requires
    }
    if training.optimizer in WITH_MOMENTUM and acts(config, "training.momentum"):
        optimizer["momentum"] = training.momentum
    if training.optimizer in WITH_BETAS and acts(config, "training.momentum"):
        optimizer["betas"] = (training.momentum, SECOND_BETA)
    half = {"type": "AmpOptimWrapper", "dtype": "bfloat16", "loss_scale": 1.0}
    return {
        **(half if training.precision == "bf16" else {"type": "OptimWrapper"}),
        "optimizer": optimizer,
        "paramwise_cfg": {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0},
        "clip_grad": {"max_norm": training.clip_norm, "norm_type": 2} if clips else None,
    }


def _build_schedule(config: Config) -> list[dict[str, Any]]:
    if not acts(config, "training.schedule"):
        return []
    training = config.training
    steps, decay = training.steps, training.decay_factor
    every_step = {"by_epoch": False, "begin": 0}
    schedulers: dict[str, dict[str, Any]] = {
        "step": {"type": "StepLR", "step_size": max(1, round(training.decay_period * steps)), "gamma": decay},
        "multi_step": {
            "type": "MultiStepLR",
            "milestones": [round(share * steps) for share in training.milestones],
            "gamma": decay,
        },
        "exponential": {"type": "ExponentialLR", "gamma": decay ** (1 / steps)},
        "cosine": {"type": "CosineAnnealingLR", "T_max": steps, "eta_min": 0.0},
    }
    warmup: list[dict[str, Any]] = []
    if training.warmup_steps > 1:
        start, end = 1 / training.warmup_steps, training.warmup_steps - 1
        warmup = [{"type": "LinearLR", "start_factor": start, **every_step, "end": end}]
    drops = all(acts(config, path) for path in OF_SCHEDULES.get(training.schedule, ()))
    chosen = schedulers.get(training.schedule) if drops else None  # without a drop it is constant
    return warmup + ([{**chosen, **every_step, "end": steps}] if chosen else [])

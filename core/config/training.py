"""Hyperparameters of a training run."""

from typing import Annotated, Literal

from pydantic import Field

from core.config.condition import SEVERAL_STEPS, Check, when
from core.config.knob import Effect, Section, knob
from core.config.model import ALL_STAGES

Share = Annotated[float, Field(ge=0.01, le=0.99)]

WITH_MOMENTUM = ("sgd", "rmsprop", "adam", "adamw", "adamax", "nadam", "radam")
WITH_PERIOD = ("step", "cyclic", "plateau")
WITH_DECAY = (*WITH_PERIOD, "multi_step", "exponential")

LEARNS = when("when the learning rate is above 0", Check("training.learning_rate", above=0))
HAS_MOMENTUM = when(
    "when the optimizer is SGD, RMSprop or of the Adam family", Check("training.optimizer", WITH_MOMENTUM)
)
HAS_DECAY = when(
    "when the schedule is step, multi-step, exponential, cyclic or plateau", Check("training.schedule", WITH_DECAY)
)
HAS_PERIOD = when("when the schedule is step, cyclic or plateau", Check("training.schedule", WITH_PERIOD))
HAS_MILESTONES = when("when the schedule is multi-step", Check("training.schedule", ("multi_step",)))
DECAYS = when("when the decay factor is below 1", Check("training.decay_factor", below=1))
LEAVES_START = when(
    "when a run has several steps", Check("training.schedule", ("cyclic",)), Check("training.steps", above=1)
)
MOVES = when(
    "when the learning rate is above 0, or some batch norms are live",
    Check("model.batch_norm", ("live",)),
    LEARNS.checks[0],
)
SEVERAL_IMAGES = when("when a batch has several images", Check("training.batch_size", above=1))
NOT_GHM = when("when the loss is not GHM-C", Check("loss.kind", excluded=("ghm",)))
EVALUATED = when(
    "when the run is evaluated before its end",
    Check("training.eval_interval", above=0, below_value_of="training.steps"),
)
UNCHANGED = "when scale, crop, colour, noise, mosaic and copy-paste are 0"
JITTERS = (
    "scale_jitter", "crop_probability", "colour_jitter", "noise_jitter", "mosaic_probability", "copy_paste_probability",
)  # fmt: skip
AUGMENTATION = ("flip_probability", *JITTERS)
REPEATABLE = (
    when(f"when all {ALL_STAGES} stages of the backbone are frozen", Check("model.freeze_stages", (ALL_STAGES,))),
    *(when(UNCHANGED, Check(f"training.{name}", (0,))) for name in JITTERS),
)


class Training(Section):
    """A training run: optimizer, schedule, evaluation and augmentation (paper, section 4.1)."""

    steps: int = knob(
        200, label="Steps", effect=Effect.TRAIN, ge=1, le=1_000_000, step=None,
        help="Training steps, one batch each; a few hundred show a trend, thousands give a useful detector.",
    )  # fmt: skip
    batch_size: int = knob(
        8, label="Batch size", effect=Effect.TRAIN, ge=1, le=64, step=1, unit="images",
        help="Images per step; change the learning rate in proportion.",
    )  # fmt: skip
    accumulation: int = knob(
        1, label="Gradient accumulation", effect=Effect.TRAIN, ge=1, le=64, step=1, unit="parts",
        acts=(SEVERAL_IMAGES, NOT_GHM),
        help="Parts of a batch that are computed one after the other before its step, at most one per image: less "
        "memory, and the same gradient. Live batch norms see only a part at a time, and are noisier: freeze them for "
        "small parts.",
    )  # fmt: skip
    sampler: Literal["uniform", "repeat_factor"] = knob(
        "uniform", label="Sampler", effect=Effect.TRAIN,
        help="uniform draws every image once an epoch; repeat_factor draws those with rare classes more often, by the "
        "share f of images with their rarest class: √(t/f) times.",
    )  # fmt: skip
    repeat_threshold: float = knob(
        0.1, label="Repeat threshold t", effect=Effect.TRAIN, ge=0, le=1, options=(0.001, 0.01, 0.03, 0.1, 0.3, 1.0),
        acts=(when("when the sampler is repeat factor", Check("training.sampler", ("repeat_factor",))),),
        help="Share of images below which a class is rare. LVIS uses 0.001 for over 1,000 classes; classes in more "
        "images than that are never repeated, so that small data sets need more.",
    )  # fmt: skip
    optimizer: Literal[
        "adamw", "sgd", "adam", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "asgd"
    ] = knob(
        "adamw", label="Optimizer", effect=Effect.TRAIN, acts=(LEARNS,),
        help="adamw is forgiving in short runs; the paper uses sgd with momentum 0.9.",
    )  # fmt: skip
    learning_rate: float = knob(
        1e-3, label="Learning rate", effect=Effect.TRAIN, ge=0, le=10,
        options=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0),
        help="Step size of the optimizer; too high diverges, too low learns nothing (sgd 0.01, adamw 0.001).",
    )  # fmt: skip
    momentum: float = knob(
        0.9, label="Momentum", effect=Effect.TRAIN, ge=0, le=0.99, step=0.01,
        acts=(HAS_MOMENTUM,),
        help="Decay of the running average of gradients: momentum of sgd and rmsprop, β₁ of the Adam family.",
    )  # fmt: skip
    weight_decay: float = knob(
        1e-4, label="Weight decay", effect=Effect.TRAIN, ge=0, le=1,
        options=(0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1), acts=(LEARNS,),
        help="Pull of convolution weights towards zero (biases and norms are exempt); reduces overfitting.",
    )  # fmt: skip
    schedule: Literal[
        "constant", "step", "multi_step", "exponential", "cosine", "cyclic", "one_cycle", "plateau"
    ] = knob(
        "cosine", label="Learning-rate schedule", effect=Effect.TRAIN, acts=(LEARNS,),
        help="How the learning rate changes over the run; a low rate at the end helps the weights converge.",
    )  # fmt: skip
    warmup_steps: int = knob(
        20, label="Warm-up steps", effect=Effect.TRAIN, ge=0, le=100_000, step=None, acts=(LEARNS,),
        help="Steps over which the learning rate rises from zero; raise it when a run diverges at its start.",
    )  # fmt: skip
    decay_factor: float = knob(
        0.1, label="Decay factor", effect=Effect.TRAIN, ge=0.001, le=1, step=0.001,
        acts=(HAS_DECAY, LEAVES_START),
        help="Factor of each drop (step, multi_step, plateau) or of the whole run (exponential), or the ratio of the "
        "lowest to the highest rate (cyclic).",
    )  # fmt: skip
    decay_period: float = knob(
        0.33, label="Decay period", effect=Effect.TRAIN, ge=0.01, le=1, step=0.01,
        acts=(HAS_PERIOD, DECAYS, SEVERAL_STEPS),
        help="Length of a step or a cycle, or the patience of plateau, as a fraction of the run.",
    )  # fmt: skip
    milestones: tuple[Share, ...] = knob(
        (0.67, 0.89), label="Milestones", effect=Effect.TRAIN, options=(0.33, 0.5, 0.67, 0.75, 0.89),
        min_length=1, max_length=8,
        acts=(HAS_MILESTONES, DECAYS, SEVERAL_STEPS),
        help="Fractions of the run at which multi_step drops the rate; the paper drops it at 2/3 and 8/9.",
    )  # fmt: skip
    clip_norm: float = knob(
        10.0, label="Gradient clipping", effect=Effect.TRAIN, ge=0, le=1000, step=None, acts=(LEARNS,),
        help="Maximum norm of all gradients together, 0 for no limit; lower it when the loss spikes.",
    )  # fmt: skip
    ema_decay: float = knob(
        0.0, label="EMA decay", effect=Effect.TRAIN, ge=0, le=0.9999,
        options=(0.0, 0.9, 0.98, 0.99, 0.998, 0.999, 0.9998), acts=(MOVES, SEVERAL_STEPS),
        help="Decay of an exponential moving average of the weights, which is evaluated and saved in their place; 0 "
        "turns it off. Smooths the noise of a high learning rate.",
    )  # fmt: skip
    precision: Literal["fp32", "bf16"] = knob(
        "fp32", label="Precision", effect=Effect.TRAIN,
        help="bf16 computes with half the bits, about twice as fast where the processor supports it.",
    )  # fmt: skip
    cache_features: int = knob(
        0, label="Feature cache", effect=Effect.TRAIN, ge=0, le=1_000_000, step=None, unit="MB", acts=REPEATABLE,
        help="Memory for the feature maps of a frozen backbone, 0 for none: they are computed once per image and "
        "reused. The training is the same and faster if it sees images more than once.",
    )  # fmt: skip
    seed: int = knob(
        0, label="Training seed", effect=Effect.TRAIN, ge=0, le=2**31 - 1, step=None,
        help="Seed of the initial weights, the order of images and the augmentation; makes a run repeatable.",
    )  # fmt: skip
    eval_interval: int = knob(
        50, label="Evaluate every", effect=Effect.TRAIN, ge=0, le=100_000, step=None, unit="steps",
        acts=(SEVERAL_STEPS,),
        help="Steps between evaluations, 0 for none before the end.",
    )  # fmt: skip
    eval_images: int = knob(
        32, label="Evaluation images", effect=Effect.TRAIN, ge=0, le=1_000_000, step=None,
        help="Held-out images per evaluation, 0 for all of a data set; with few of them AP fluctuates.",
    )  # fmt: skip
    early_stopping: int = knob(
        0, label="Early stopping", effect=Effect.TRAIN, ge=0, le=1000, step=1, unit="evaluations",
        acts=(EVALUATED,),
        help="Ends the run when the held-out loss was more than 5% above its lowest in this many evaluations in a row, "
        "0 for never; the weights before it rose are saved. Prevents overfitting to few images.",
    )  # fmt: skip
    flip_probability: float = knob(
        0.5, label="Flip probability", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Fraction of training images mirrored left to right.",
    )  # fmt: skip
    scale_jitter: float = knob(
        0.0, label="Scale jitter", effect=Effect.TRAIN, ge=0, le=0.9, step=0.05,
        help="Shows each training image larger or smaller by a random factor from 1−j to 1+j, in an image of the same "
        "size; helps with unseen sizes.",
    )  # fmt: skip
    crop_probability: float = knob(
        0.0, label="Crop probability", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Fraction of training images cropped to a random part that keeps at least one object.",
    )  # fmt: skip
    colour_jitter: float = knob(
        0.0, label="Colour jitter", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Strength of random changes of brightness, contrast and saturation; helps with unseen lighting.",
    )  # fmt: skip
    noise_jitter: float = knob(
        0.0, label="Noise jitter", effect=Effect.TRAIN, ge=0, le=0.5, step=0.01,
        help="Largest standard deviation of the noise added to a training image, as a fraction of full brightness; "
        "most images get little. Helps with noisy images.",
    )  # fmt: skip
    mosaic_probability: float = knob(
        0.0, label="Mosaic probability", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Fraction of training images that are made of parts of four (YOLOv4); objects of which less than a "
        "quarter is left are dropped. Shows objects smaller, and beside others than usual.",
    )  # fmt: skip
    copy_paste_probability: float = knob(
        0.0, label="Copy-paste probability", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Fraction of training images into which up to 10 objects of another are pasted, as whole boxes; objects "
        "of which less than a quarter stays visible are dropped. Shows objects on other backgrounds.",
    )  # fmt: skip

"""One training run."""

from typing import Annotated, Literal

from pydantic import Field

from core.config.knob import Effect, Section, knob

Share = Annotated[float, Field(ge=0.01, le=0.99)]


class Training(Section):
    """One training run (paper, section 4.1; defaults suit short runs)."""

    steps: int = knob(
        200, label="Steps", effect=Effect.TRAIN, ge=1, le=1_000_000, step=None,
        help="Batches the run trains on; a few hundred show a trend, thousands make a detector.",
    )  # fmt: skip
    batch_size: int = knob(
        8, label="Batch size", effect=Effect.TRAIN, ge=1, le=64, step=1, unit="images",
        help="Pictures a step; change the learning rate in proportion.",
    )  # fmt: skip
    optimizer: Literal[
        "adamw", "sgd", "adam", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "asgd"
    ] = knob(
        "adamw", label="Optimizer", effect=Effect.TRAIN,
        help="adamw is forgiving in short runs; the paper uses sgd with momentum 0.9.",
    )  # fmt: skip
    learning_rate: float = knob(
        1e-3, label="Learning rate", effect=Effect.TRAIN, ge=0, le=10,
        options=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0),
        help="Size of a step; too large diverges, too small learns nothing (sgd 0.01, adamw 0.001).",
    )  # fmt: skip
    momentum: float = knob(
        0.9, label="Momentum", effect=Effect.TRAIN, ge=0, le=0.99, step=0.01,
        help="Memory of past gradients: momentum of sgd and rmsprop, β₁ of the Adam family.",
    )  # fmt: skip
    weight_decay: float = knob(
        1e-4, label="Weight decay", effect=Effect.TRAIN, ge=0, le=1,
        options=(0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1),
        help="Pull of convolution weights towards zero (biases and norms are spared); against overfitting.",
    )  # fmt: skip
    schedule: Literal[
        "constant", "step", "multi_step", "exponential", "cosine", "cyclic", "one_cycle", "plateau"
    ] = knob(
        "cosine", label="Learning-rate schedule", effect=Effect.TRAIN,
        help="How the learning rate moves over the run; ending low settles the weights.",
    )  # fmt: skip
    warmup_steps: int = knob(
        20, label="Warm-up steps", effect=Effect.TRAIN, ge=0, le=100_000, step=None,
        help="Steps over which the learning rate rises from nothing; raise it when a run diverges at its start.",
    )  # fmt: skip
    decay_factor: float = knob(
        0.1, label="Decay factor", effect=Effect.TRAIN, ge=0.001, le=1, step=0.001,
        help="Factor of each drop (step, multi_step, plateau), of the whole run (exponential), or of the lowest "
        "to the highest rate (cyclic).",
    )  # fmt: skip
    decay_period: float = knob(
        0.33, label="Decay period", effect=Effect.TRAIN, ge=0.01, le=1, step=0.01,
        help="Length of one step or one cycle, or the patience of plateau, as a share of the run.",
    )  # fmt: skip
    milestones: tuple[Share, ...] = knob(
        (0.67, 0.89), label="Milestones", effect=Effect.TRAIN, options=(0.33, 0.5, 0.67, 0.75, 0.89),
        min_length=1, max_length=8,
        help="Shares of the run at which multi_step drops the rate; the paper drops at 2/3 and 8/9.",
    )  # fmt: skip
    clip_norm: float = knob(
        10.0, label="Gradient clipping", effect=Effect.TRAIN, ge=0, le=1000, step=None,
        help="Largest norm of all gradients together, 0 for no bound; lower it when the loss jumps.",
    )  # fmt: skip
    ema_decay: float = knob(
        0.0, label="Averaging of weights", effect=Effect.TRAIN, ge=0, le=0.9999,
        options=(0.0, 0.9, 0.98, 0.99, 0.998, 0.999, 0.9998),
        help="Memory of an exponential moving average of the weights, which is then what is evaluated and saved; 0 for "
        "none. Smooths what a high learning rate leaves rough.",
    )  # fmt: skip
    precision: Literal["fp32", "bf16"] = knob(
        "fp32", label="Precision", effect=Effect.TRAIN,
        help="bf16 computes in half the bits, about twice as fast where the processor supports it.",
    )  # fmt: skip
    cache_features: int = knob(
        0, label="Memory for the frozen body", effect=Effect.TRAIN, ge=0, le=1_000_000, step=None, unit="MB",
        help="Keeps what a frozen body says of each picture for when the picture comes again, 0 for not at all; the "
        "same training in less time, where a data set is gone through more than once.",
    )  # fmt: skip
    seed: int = knob(
        0, label="Training seed", effect=Effect.TRAIN, ge=0, le=2**31 - 1, step=None,
        help="Fixes initial weights, order and augmentation, so that a run can be repeated.",
    )  # fmt: skip
    eval_interval: int = knob(
        50, label="Evaluate every", effect=Effect.TRAIN, ge=0, le=100_000, step=None, unit="steps",
        help="Steps between evaluations, 0 for none before the end.",
    )  # fmt: skip
    eval_images: int = knob(
        32, label="Evaluation images", effect=Effect.TRAIN, ge=1, le=5000, step=None,
        help="Held-out pictures of an evaluation; few make AP jump about.",
    )  # fmt: skip
    flip_probability: float = knob(
        0.5, label="Flip", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Share of training pictures mirrored left to right.",
    )  # fmt: skip
    scale_jitter: float = knob(
        0.0, label="Scale jitter", effect=Effect.TRAIN, ge=0, le=0.9, step=0.05,
        help="Scales each training picture by a random factor from 1−j to 1+j; helps with unseen sizes.",
    )  # fmt: skip
    crop_probability: float = knob(
        0.0, label="Crop", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Share of training pictures cut to a random part that keeps at least one object.",
    )  # fmt: skip
    colour_jitter: float = knob(
        0.0, label="Colour jitter", effect=Effect.TRAIN, ge=0, le=1, step=0.05,
        help="Strength of random brightness, contrast and saturation; helps with unseen light.",
    )  # fmt: skip
    noise_jitter: float = knob(
        0.0, label="Noise jitter", effect=Effect.TRAIN, ge=0, le=0.5, step=0.01,
        help="Grain over training pictures with a random standard deviation up to this share of full brightness, "
        "mostly a small one; helps with noisy pictures.",
    )  # fmt: skip

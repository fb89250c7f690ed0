"""What `python -m core` understands: a flag for every hyperparameter, made from its declaration."""

import argparse
import difflib
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from core.config import Config, Knob, knobs
from core.experiments.presets import PRESETS

# Short names of flags people use most.
ALIASES = {
    "model.weights": ("--weights",),
    "training.steps": ("--steps",),
    "training.eval_images": ("--images",),
}

TRACKERS = ("tensorboard", "wandb", "trackio")


def complain(message: str, status: int) -> int:
    """Prints an error message and returns the exit status."""
    print(f"error: {message}", file=sys.stderr)
    return status


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Returns the parsed command line; exits with status 2 if it is not understood."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        near = difflib.get_close_matches(unknown[0].split("=")[0], [f"--{path}" for path in knobs()], n=1)
        hint = f"did you mean {near[0]}?" if near else f"{parser.prog} {options.command} --help lists the flags."
        parser.exit(complain(f"{unknown[0]} is not understood: {hint}", 2))
    return options


class _Parser(argparse.ArgumentParser):
    """Refuses in one line instead of the hundred that list every flag, and takes no flag for the start of another."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(complain(f"{message} ({self.prog} --help tells more).", 2))


def _program() -> str:
    """Returns the name of the command as it was called."""
    return "retinanet" if Path(sys.argv[0]).stem == "retinanet" else "python -m core"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_program(),
        description="RetinaNet: train, compare, evaluate, detect, export, fit anchors, check data.",
    )
    actions = parser.add_subparsers(title="commands", dest="command", required=True)
    train = _command(actions, "train", "Train a detector; Ctrl-C stops it with a checkpoint.")
    _add_data(train)
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint in the folder of the run")
    train.add_argument("--workers", type=_count, default=1, help="processes that load pictures (default 1)")
    compare = _command(
        actions, "compare", "Train a detector several times with one thing changed; on scenes, a minute or less each."
    )
    about = "; ".join(f"{key}: {preset.title}" for key, preset in PRESETS.items())
    compare.add_argument("preset", choices=PRESETS, metavar="PRESET", help=about)
    compare.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the runs; goes on in it")
    compare.add_argument("--seeds", type=_count, default=1, help="runs of each arm (default 1)")
    compare.add_argument("--workers", type=_count, default=1, help="processes that load pictures (default 1)")
    compare.add_argument(
        "--ray", metavar="ADDRESS", help="train several at a time with Ray: the address of a cluster, or local"
    )
    for command in (train, compare):
        command.add_argument(
            "--track", choices=TRACKERS, metavar="TRACKER",
            help=f"also tell {', '.join(TRACKERS)} (pip install -r requirements-trackers.txt)",
        )  # fmt: skip
    anchors = _command(actions, "anchors", "Measure how well the anchors fit, and look for better scales and ratios.")
    _add_data(anchors)
    anchors.add_argument("--split", default="train", help="train (default), val or test")
    evaluate = _command(actions, "evaluate", "Measure the twelve COCO figures, and explain them.")
    _add_data(evaluate)
    evaluate.add_argument("--split", default="test", help="train, val or test (default)")
    evaluate.add_argument("--report", type=Path, metavar="FILE", help="write curves, errors and worst pictures as JSON")
    evaluate.add_argument(
        "--at-score", type=_share, metavar="SCORE", help="of the report's confusion matrix (default: where F1 is best)"
    )
    evaluate.add_argument("--at-iou", type=_share, metavar="IOU", help="of the report's confusion matrix (default 0.5)")
    detect = _command(actions, "detect", "Find objects in pictures.")
    detect.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="picture files")
    detect.add_argument("--annotate", type=Path, metavar="DIR", help="also write the pictures with boxes here")
    export = _command(actions, "export", "Write a detector for use elsewhere.")
    export.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help=".safetensors or .pth: weights that torchvision's RetinaNet loads; .zip: with a script that runs them; "
        ".onnx: pixels in, detections out",
    )  # fmt: skip
    export.add_argument("--half", action="store_true", help="store 16 bits a number (.safetensors only)")
    _add_own_data(actions)
    return parser


def _add_own_data(actions: Any) -> None:
    check = _command(actions, "check", "Look through a data set of your own for what would spoil a training.")
    unpack = _command(actions, "unpack", "Check a data set that comes as a zip, and unpack it if it can be used.")
    unpack.add_argument("archive", type=Path, metavar="ZIP", help="a data set in COCO, VOC or YOLO format")
    unpack.add_argument("--out", type=Path, required=True, metavar="DIR", help="its new folder")
    split = _command(actions, "split", "Say which pictures train, validate and test, in a file of the data set.")
    for command in (check, split):
        command.add_argument("--data", required=True, metavar="DIR", help="a COCO, VOC or YOLO folder")
    split.add_argument(
        "--by", choices=("given", "random", "stratified"), required=True,
        help="given: the data set's own; stratified: every split gets its share of each class; --training.seed counts",
    )  # fmt: skip
    split.add_argument(
        "--shares", type=_shares, default=(0.8, 0.1, 0.1), metavar="TRAIN,VAL,TEST",
        help="of the pictures (default 0.8,0.1,0.1)",
    )  # fmt: skip


def _command(actions: Any, name: str, description: str) -> argparse.ArgumentParser:
    """Adds the command of this name in `core.cli.commands.COMMANDS`."""
    parser = actions.add_parser(name, help=description, description=description)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings as JSON; flags override them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON here")
    groups = {section: parser.add_argument_group(section) for section in Config.model_fields}
    for knob in knobs().values():
        _add_flag(groups[knob.section], knob)
    return parser


def _add_flag(group: Any, knob: Knob) -> None:
    """Values stay text: the declaration reads and checks them, with one message for flags, links and files."""
    names = [f"--{knob.path}", *ALIASES.get(knob.path, ())]
    help_text = f"{knob.help} ({knob.allowed}; default {knob.default})".replace("%", "%%")
    group.add_argument(*names, dest=knob.path, default=argparse.SUPPRESS, metavar=knob.kind.upper(), help=help_text)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        default="scenes",
        metavar="scenes|DIR",
        help="rendered scenes (default), or a COCO, VOC or YOLO folder",
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def _shares(text: str) -> tuple[float, ...]:
    shares = tuple(_share(part) for part in text.split(","))
    if len(shares) != 3 or abs(sum(shares) - 1) > 1e-6:
        raise argparse.ArgumentTypeError(f"{text!r} is not three shares that add up to 1, as 0.8,0.1,0.1")
    return shares


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)

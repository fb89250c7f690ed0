"""The parser of the command line, with a flag for every hyperparameter, made from its declaration."""

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from core.cli.flags import (
    add_classes,
    add_data,
    add_own_data,
    add_reading,
    add_track,
    parse_count,
    parse_share,
    parse_shares,
)
from core.config import Config, Knob, knobs
from core.errors import shorten
from core.experiments.presets import PRESETS
from core.experiments.recipes import RECIPES

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction["_Parser"]  # the type of argparse's own, which has no public name

# Short names of the most frequent flags.
ALIASES = {
    "model.weights": ("--weights",),
    "training.steps": ("--steps",),
    "training.eval_images": ("--images",),
}

WRITTEN_FORMATS = ("coco", "voc", "yolo")  # the keys of `core.data.writers.convert.WRITERS`
WORKERS_HELP = "number of processes that load pictures (default 1)"

MAX_FLAG = 100  # characters of an unknown flag that are compared with the known ones


def report_error(message: str, status: int) -> int:
    """Prints an error message and returns the exit status."""
    print(f"error: {shorten(message)}", file=sys.stderr)
    return status


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line; exits with status 2 if it is invalid."""
    parser = _build_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        near = difflib.get_close_matches(unknown[0].split("=")[0][:MAX_FLAG], [f"--{path}" for path in knobs()], n=1)
        hint = f"did you mean {near[0]}?" if near else f"{parser.prog} {options.command} --help lists the flags."
        parser.exit(report_error(f"{unknown[0]} is not a known argument: {hint}", 2))
    return options


class _HelpFormatter(argparse.HelpFormatter):
    """Formats help with a usage that has one placeholder for the flags of all hyperparameters, which the list names."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Adds the usage, without the flags of hyperparameters."""
        others = [action for action in actions if action.dest not in knobs()]
        if len(others) < len(actions):
            others.append(argparse.Action(["--section.field"], "setting", metavar="VALUE"))
        super().add_usage(usage, others, groups, prefix)


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors in one line, instead of a usage that lists every flag, and allows no abbreviations.

    Args:
        options: Those of `argparse.ArgumentParser`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False, formatter_class=_HelpFormatter)

    def error(self, message: str) -> NoReturn:
        """Prints an error message and exits with status 2."""
        self.exit(report_error(f"{message} (see {self.prog} --help).", 2))


def _program() -> str:
    """Returns the name of the command as it was called."""
    return "retinanet" if Path(sys.argv[0]).stem == "retinanet" else "python -m core"


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_program(),
        description="RetinaNet: train, compare, evaluate, detect, export, fit anchors, check and convert data.",
    )
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for add in (_add_train, _add_compare, _add_anchors, _add_evaluate, _add_detect, _add_export):
        add(commands)
    for add in (_add_check, _add_unpack, _add_split, _add_convert):
        add(commands)
    return parser


def _add_train(commands: "Subparsers") -> None:
    train = _add_command(commands, "train", "Train a detector; Ctrl-C stops it with a checkpoint.")
    add_data(train)
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    recipes = " ".join(f"{key} is for {recipe.title}: {recipe.help}" for key, recipe in RECIPES.items())
    train.add_argument(
        "--recipe",
        choices=RECIPES,
        default="",
        help=f"settings chosen by measurement; flags win; {recipes}",
    )
    train.add_argument("--resume", action="store_true", help="continue from the checkpoint in the folder of the run")
    train.add_argument("--workers", type=parse_count, default=1, help=WORKERS_HELP)
    add_track(train)


def _add_compare(commands: "Subparsers") -> None:
    compare = _add_command(
        commands, "compare", "Train variants of a detector that differ in one setting, on scenes, about a minute each."
    )
    titles = "; ".join(f"{key}: {preset.title}" for key, preset in PRESETS.items())
    compare.add_argument("preset", choices=PRESETS, metavar="PRESET", help=titles)
    compare.add_argument(
        "--out", type=Path, required=True, metavar="DIR",
        help="folder of the runs; an interrupted comparison in it is continued",
    )  # fmt: skip
    compare.add_argument("--seeds", type=parse_count, default=1, help="runs per variant (default 1)")
    compare.add_argument("--workers", type=parse_count, default=1, help=WORKERS_HELP)
    compare.add_argument(
        "--ray", metavar="ADDRESS", help="train several at a time with Ray: the address of a cluster, or local"
    )
    add_track(compare)


def _add_anchors(commands: "Subparsers") -> None:
    anchors = _add_command(
        commands, "anchors", "Measure how well the anchors fit, and search for better scales and ratios."
    )
    add_data(anchors)
    anchors.add_argument("--split", default="train", help="train (default), val or test")


def _add_evaluate(commands: "Subparsers") -> None:
    evaluate = _add_command(commands, "evaluate", "Compute the twelve COCO metrics, and explain them.")
    add_data(evaluate)
    add_classes(evaluate)
    evaluate.add_argument("--split", default="test", help="train, val or test (default)")
    evaluate.add_argument(
        "--report", type=Path, metavar="FILE", help="write curves, errors and the worst pictures as JSON to this file"
    )
    evaluate.add_argument(
        "--at-score", type=parse_share, metavar="SCORE",
        help="score threshold of the report's confusion matrix (default: the one with the best F1)",
    )  # fmt: skip
    evaluate.add_argument(
        "--at-iou", type=parse_share, metavar="IOU", help="IoU threshold of the report's confusion matrix (default 0.5)"
    )


def _add_detect(commands: "Subparsers") -> None:
    detect = _add_command(commands, "detect", "Detect objects in pictures.")
    detect.add_argument(
        "pictures", nargs="+", type=Path, metavar="PICTURE",
        help="picture files, folders of them at any depth, patterns such as 'in/**/*.jpg', or @LIST: a text file with "
        "the path of a picture in each line",
    )  # fmt: skip
    detect.add_argument(
        "--strict", action="store_true",
        help="stop at the first picture that cannot be used; without this flag it is left out, and the exit status is "
        "1 in the end",
    )  # fmt: skip
    add_classes(detect)
    detect.add_argument(
        "--annotate", type=Path, metavar="DIR", help="also write the pictures with their detections to this folder"
    )
    detect.add_argument(
        "--resume", action="store_true",
        help="continue an interrupted call with the same --json FILE: pictures that are done are not computed again",
    )  # fmt: skip


def _add_export(commands: "Subparsers") -> None:
    export = _add_command(commands, "export", "Write a detector for use elsewhere.")
    export.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help=".safetensors or .pth: weights that torchvision's RetinaNet loads; .zip: weights with a script that runs "
        "them; .onnx: a model from pixels to detections",
    )  # fmt: skip
    add_classes(export)
    export.add_argument("--half", action="store_true", help="store 16-bit weights (.safetensors only)")


def _add_check(commands: "Subparsers") -> None:
    check = _add_command(commands, "check", "Check your own data set for problems that would harm training.")
    add_own_data(check)


def _add_unpack(commands: "Subparsers") -> None:
    unpack = _add_command(commands, "unpack", "Check a data set in a zip file, and unpack it if it is usable.")
    unpack.add_argument("archive", type=Path, metavar="ZIP", help="a data set in any of the formats of --format")
    add_reading(unpack)
    unpack.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create for it")


def _add_split(commands: "Subparsers") -> None:
    split = _add_command(commands, "split", "Split a data set into pictures for training, validation and test.")
    add_own_data(split)
    split.add_argument(
        "--by", choices=("given", "random", "stratified"), required=True,
        help="given: the data set's own splits; random: at random; stratified: each split gets its share of every "
        "class; --training.seed sets the seed",
    )  # fmt: skip
    split.add_argument(
        "--shares", type=parse_shares, default=(0.8, 0.1, 0.1), metavar="TRAIN,VAL,TEST",
        help="shares of the pictures (default 0.8,0.1,0.1)",
    )  # fmt: skip


def _add_convert(commands: "Subparsers") -> None:
    convert = _add_command(commands, "convert", "Write a data set in another format.")
    add_own_data(convert)
    convert.add_argument("--to", choices=WRITTEN_FORMATS, required=True, help=f"{', '.join(WRITTEN_FORMATS)}")
    convert.add_argument(
        "--pictures", type=parse_count, metavar="N",
        help="write only N of the training pictures, drawn so that every class appears; the other splits stay whole; "
        "--training.seed sets the seed",
    )  # fmt: skip
    convert.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create for it")


def _add_command(commands: "Subparsers", name: str, description: str) -> argparse.ArgumentParser:
    """Adds the parser of a command in `core.cli.commands.MODULES`."""
    parser = commands.add_parser(name, help=description, description=description)
    parser.add_argument("--config", type=Path, metavar="FILE", help="read settings from this JSON file; flags win")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON to this file")
    groups = {section: parser.add_argument_group(section) for section in Config.model_fields}
    for knob in knobs().values():
        _add_flag(groups[knob.section], knob)
    return parser


def _add_flag(group: argparse._ArgumentGroup, knob: Knob) -> None:
    """Adds the flag of a hyperparameter; its value stays text, which `Config` checks as it does in links and files."""
    names = [f"--{knob.path}", *ALIASES.get(knob.path, ())]
    help_text = f"{knob.help} ({knob.allowed}; default {knob.default})".replace("%", "%%")
    group.add_argument(*names, dest=knob.path, default=argparse.SUPPRESS, metavar=knob.kind.upper(), help=help_text)

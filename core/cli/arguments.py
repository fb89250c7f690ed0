"""The arguments of each command, with a flag for every hyperparameter, made from its declaration."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from core.cli.flags import (
    add_classes,
    add_data,
    add_own_data,
    add_reading,
    add_track,
    parse_count,
    parse_numbers,
    parse_share,
    parse_shares,
)
from core.config import Config, Knob, knobs
from core.experiments.presets import PRESETS
from core.experiments.recipes import RECIPES

# Short names of the most frequent flags.
ALIASES = {
    "model.weights": ("--weights",),
    "training.steps": ("--steps",),
    "training.eval_images": ("--images",),
}

WRITTEN_FORMATS = ("coco", "voc", "yolo")  # the keys of `core.data.writers.convert.WRITERS`
PARTS, PLACES = ("class", "box"), ("pixels", "features")  # those of `core.explain`, which --help need not import
FRAMEWORKS = ("torchvision", "detectron2", "mmdetection")  # the keys of `core.conventions.convention.FRAMEWORKS`
MAX_MASKS = 100_000  # of `explain`: a night's work, and a map that no longer changes
WORKERS_HELP = "number of processes that load pictures (default 1)"


class HelpFormatter(argparse.HelpFormatter):
    """Formats help with a usage that has one placeholder for the flags of all hyperparameters, which the list names."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Adds the usage, without the flags of hyperparameters."""
        others = [action for action in actions if action.dest not in knobs()]
        if len(others) < len(actions):
            others.append(argparse.Action(["--section.field"], "setting", metavar="VALUE"))
        super().add_usage(usage, others, groups, prefix)


def add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    """Adds all arguments of a command in `core.cli.commands.COMMANDS`."""
    parser.formatter_class = HelpFormatter
    parser.add_argument("--config", type=Path, metavar="FILE", help="read settings from this JSON file; flags win")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON to this file")
    groups = {section: parser.add_argument_group(section) for section in Config.model_fields}
    for knob in knobs().values():
        _add_flag(groups[knob.section], knob)
    ADDED[command](parser)


def _add_flag(group: argparse._ArgumentGroup, knob: Knob) -> None:
    """Adds the flag of a hyperparameter; its value stays text, which `Config` checks as it does in links and files."""
    names = [f"--{knob.path}", *ALIASES.get(knob.path, ())]
    help_text = f"{knob.help} ({knob.allowed}; default {knob.default})".replace("%", "%%")
    group.add_argument(*names, dest=knob.path, default=argparse.SUPPRESS, metavar=knob.kind.upper(), help=help_text)


def _add_train(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    recipes = " ".join(f"{key} is for {recipe.title}: {recipe.help}" for key, recipe in RECIPES.items())
    parser.add_argument(
        "--recipe",
        choices=RECIPES,
        default="",
        help=f"settings chosen by measurement; flags win; {recipes}",
    )
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in the folder of the run")
    parser.add_argument("--workers", type=parse_count, default=1, help=WORKERS_HELP)
    add_track(parser)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    titles = "; ".join(f"{key}: {preset.title}" for key, preset in PRESETS.items())
    parser.add_argument("preset", choices=PRESETS, metavar="PRESET", help=titles)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR",
        help="folder of the runs; an interrupted comparison in it is continued",
    )  # fmt: skip
    parser.add_argument("--seeds", type=parse_count, default=1, help="runs per variant (default 1)")
    parser.add_argument("--workers", type=parse_count, default=1, help=WORKERS_HELP)
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="train several at a time with Ray: the address of a cluster, or local"
    )
    add_track(parser)


def _add_find_lr(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--workers", type=parse_count, default=1, help=WORKERS_HELP)


def _add_anchors(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--split", default="train", help="train (default), val or test")


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_classes(parser)
    parser.add_argument("--split", default="test", help="train, val or test (default)")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write curves, errors, the worst pictures and suspected errors of the labels as JSON to this file",
    )
    parser.add_argument(
        "--at-score", type=parse_share, metavar="SCORE",
        help="score threshold of the report's confusion matrix (default: the one with the best F1)",
    )  # fmt: skip
    parser.add_argument(
        "--at-iou", type=parse_share, metavar="IOU", help="IoU threshold of the report's confusion matrix (default 0.5)"
    )
    parser.add_argument(
        "--along", metavar="DIAL",
        help="print AP at several values of a dial of the scenes instead, such as noise or imbalance; all other "
        "settings, and the seed, stay",
    )  # fmt: skip
    parser.add_argument(
        "--values", type=parse_numbers, default=(), metavar="V,V,…",
        help="the values of --along (default: five over all that the dial can have)",
    )  # fmt: skip


def _add_rescue(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    add_classes(parser)
    parser.add_argument(
        "--split",
        default="val",
        help="train, val (default) or test; test what you choose here on another split",
    )


def _add_detect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pictures", nargs="+", type=Path, metavar="PICTURE",
        help="picture files, folders of them at any depth, patterns such as 'in/**/*.jpg', or @LIST: a text file with "
        "the path of a picture in each line",
    )  # fmt: skip
    parser.add_argument(
        "--strict", action="store_true",
        help="stop at the first picture that cannot be used; without this flag it is left out, and the exit status is "
        "1 in the end",
    )  # fmt: skip
    add_classes(parser)
    parser.add_argument(
        "--annotate", type=Path, metavar="DIR", help="also write the pictures with their detections to this folder"
    )
    parser.add_argument(
        "--resume", action="store_true",
        help="continue an interrupted call with the same --json FILE: pictures that are done are not computed again",
    )  # fmt: skip


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="a picture file; it is seen whole")
    parser.add_argument(
        "--detection",
        type=parse_count,
        default=1,
        metavar="N",
        help="number of the detection, the best first (default 1)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help="write the picture, PNG or JPEG, bright where it matters, with the detection, its anchor and what it sees",
    )  # fmt: skip
    parser.add_argument("--of", choices=PARTS, default=PARTS[0], help="its class logit (default), or its box")
    parser.add_argument(
        "--on", choices=PLACES, default=PLACES[0], help="pixels (default), or the features of its pyramid level"
    )
    parser.add_argument(
        "--masks", type=partial(parse_count, most=MAX_MASKS), default=0, metavar="N",
        help="check the map by hiding parts of the picture under N random masks, such as 500: a second opinion, which "
        "takes a pass of the network each; --training.seed sets the seed",
    )  # fmt: skip
    add_classes(parser)


def _add_differ(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "picture", type=Path, nargs="?", metavar="PICTURE",
        help="a picture file (default: the first test scene, whose objects are known)",
    )  # fmt: skip
    parser.add_argument(
        "--framework", choices=FRAMEWORKS, required=True,
        help="whose conventions the same weights are put under: anchors, P7, clipping, forced matches, losses",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FILE",
        help="write the picture, PNG, with the detections that differ; --inference.score_threshold 0.3 leaves fewer",
    )  # fmt: skip
    add_classes(parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help=".safetensors or .pth: weights that torchvision's RetinaNet loads; .zip: weights with a script that runs "
        "them; .onnx: a model from pixels to detections",
    )  # fmt: skip
    add_classes(parser)
    parser.add_argument("--half", action="store_true", help="store 16-bit weights (.safetensors only)")


def _add_unpack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, metavar="ZIP", help="a data set in any of the formats of --format")
    add_reading(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create for it")


def _add_split(parser: argparse.ArgumentParser) -> None:
    add_own_data(parser)
    parser.add_argument(
        "--by", choices=("given", "random", "stratified"), required=True,
        help="given: the data set's own splits; random: at random; stratified: each split gets its share of every "
        "class; --training.seed sets the seed",
    )  # fmt: skip
    parser.add_argument(
        "--shares", type=parse_shares, default=(0.8, 0.1, 0.1), metavar="TRAIN,VAL,TEST",
        help="shares of the pictures (default 0.8,0.1,0.1)",
    )  # fmt: skip


def _add_convert(parser: argparse.ArgumentParser) -> None:
    add_own_data(parser)
    parser.add_argument("--to", choices=WRITTEN_FORMATS, required=True, help=f"{', '.join(WRITTEN_FORMATS)}")
    parser.add_argument(
        "--pictures", type=parse_count, metavar="N",
        help="write only N of the training pictures, drawn so that every class appears; the other splits stay whole; "
        "--training.seed sets the seed",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create for it")


# The arguments of each command, other than the settings.
ADDED: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "train": _add_train,
    "compare": _add_compare,
    "find-lr": _add_find_lr,
    "anchors": _add_anchors,
    "evaluate": _add_evaluate,
    "rescue": _add_rescue,
    "detect": _add_detect,
    "explain": _add_explain,
    "differ": _add_differ,
    "export": _add_export,
    "check": add_own_data,
    "unpack": _add_unpack,
    "split": _add_split,
    "convert": _add_convert,
}

"""What `python -m core` understands: a flag for every hyperparameter, made from its declaration."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core import commands
from core.config import Config, knobs
from core.knobs import ConfigError, Knob
from core.runs import write_text

# Short names of flags people use most.
ALIASES = {
    "model.weights": ("--weights",),
    "training.steps": ("--steps",),
    "training.eval_images": ("--images",),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0, 1 for what cannot be done, 2 for what is not understood."""
    options = _parser().parse_args(arguments)
    try:
        if options.json:
            options.json.touch()  # refuse now rather than after hours of training
        result = options.command(config_of(options), options)
        if options.json:
            write_text(options.json, json.dumps(result, indent=2, allow_nan=False) + "\n")
    except ConfigError as error:
        return _complain(str(error), 2)
    except commands.REFUSALS as error:
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return _complain("Stopped.", 130)
    return 0


def config_of(options: argparse.Namespace) -> Config:
    """Returns the settings: defaults, then the file given with --config, then the flags.

    Raises:
        ConfigError: A setting is wrong, or the file cannot be read.
    """
    flags = {path: value for path, value in vars(options).items() if path in knobs()}
    return (Config.from_file(options.config) if options.config else Config()).replace(flags)


def _complain(message: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description="RetinaNet: train, evaluate, detect, export.")
    actions = parser.add_subparsers(title="commands", required=True)
    train = _command(actions, "train", commands.train, "Train a detector; Ctrl-C stops it with a checkpoint.")
    _add_data(train)
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint in the folder of the run")
    train.add_argument("--workers", type=_count, default=1, help="processes that load pictures (default 1)")
    evaluate = _command(actions, "evaluate", commands.evaluate, "Measure the twelve COCO figures.")
    _add_data(evaluate)
    evaluate.add_argument("--split", default="test", help="train, val or test (default)")
    detect = _command(actions, "detect", commands.detect, "Find objects in pictures.")
    detect.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="picture files")
    detect.add_argument("--annotate", type=Path, metavar="DIR", help="also write the pictures with boxes here")
    export = _command(actions, "export", commands.export, "Write weights that torchvision's RetinaNet loads.")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help=".safetensors, or .pth")
    export.add_argument("--half", action="store_true", help="store 16 bits a number (.safetensors only)")
    return parser


def _command(actions: Any, name: str, run: Callable, description: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=description, description=description)
    parser.set_defaults(command=run)
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
        "--data", default="scenes", metavar="scenes|DIR", help="rendered scenes (default), or a COCO or VOC folder"
    )


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)

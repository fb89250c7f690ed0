"""The parser of the command line; the arguments of a command are added when it is chosen, since `--help` needs none."""

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from core.cli.commands import COMMANDS
from core.errors import shorten

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
        near = _find_flag(unknown[0])
        hint = f"did you mean {near}?" if near else f"{parser.prog} {options.command} --help lists the flags."
        parser.exit(report_error(f"{unknown[0]} is not a known argument: {hint}", 2))
    return options


def _find_flag(unknown: str) -> str:
    """Returns the flag of a hyperparameter that is spelled like an unknown one, "" if there is none."""
    from core.config import knobs

    flags = [f"--{path}" for path in knobs()]
    return next(iter(difflib.get_close_matches(unknown.split("=")[0][:MAX_FLAG], flags, n=1)), "")


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors in one line, instead of a usage that lists every flag, and allows no abbreviations.

    Args:
        add_arguments: Adds the arguments when they are needed for the first time.
        options: Those of `argparse.ArgumentParser`.
    """

    def __init__(self, add_arguments: Callable[[argparse.ArgumentParser], None] | None = None, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self._add_arguments = add_arguments

    def parse_known_args(self, *arguments: Any, **options: Any) -> Any:
        """Parses as `argparse.ArgumentParser` does."""
        if add := self._add_arguments:
            self._add_arguments = None
            add(self)
        return super().parse_known_args(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        """Prints an error message and exits with status 2."""
        self.exit(report_error(f"{message} (see {self.prog} --help).", 2))


def _program() -> str:
    """Returns the name of the command as it was called."""
    return "retinanet" if Path(sys.argv[0]).stem == "retinanet" else "python -m core"


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_program(),
        description="RetinaNet: train, compare, evaluate, rescue, detect, export, fit anchors, check and convert data.",
    )
    commands = parser.add_subparsers(title="commands", dest="command", required=True)
    for name, command in COMMANDS.items():
        add = partial(_add_arguments, command=name)
        commands.add_parser(name, help=command.help, description=command.help, add_arguments=add)
    return parser


def _add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    from core.cli.arguments import add_arguments  # imports every declaration

    add_arguments(parser, command)

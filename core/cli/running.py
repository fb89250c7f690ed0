"""Runs a command: settings, reading process, result, and errors as one line."""

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.cli.commands import find_command
from core.cli.idle_flags import describe_idle
from core.cli.parser import report_error
from core.config import Config, ConfigError, knobs
from core.errors import IncompleteError, UserError
from core.experiments.recipes import apply_recipe
from core.fast_imports import without_garbage_collection
from core.io.atomic import require_writable, write_text
from core.io.troubles import WRITING, explain
from core.reader import COMMAND_LINE, Kind, limits_for, read_apart_from_now_on

WEIGHTS = "model.weights"
PIPE_CLOSED = 141  # what shells report of a program that ends so


def run(options: argparse.Namespace) -> int:
    """Runs a command; returns 0, 1 if it fails, 2 if settings are invalid, 130 after Ctrl-C, 141 if nobody reads on."""
    try:
        _read_apart(options)
        config = build_config(options)
        for file in (options.json, getattr(options, "report", None)):
            if file:
                require_writable(file)
        _run_command(config, options)
        sys.stdout.flush()
    except UserError as error:
        return report_error(str(error), 2 if isinstance(error, ConfigError) else 1)
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
        _drop_output()
        return PIPE_CLOSED
    except OSError as error:  # a full disk, a folder without permission
        return _report_trouble(error)
    except KeyboardInterrupt:
        return report_error("Stopped.", 130)
    return 0


def _read_apart(options: argparse.Namespace) -> None:
    """Leaves untrusted files to another process, which imports PyTorch while this one does, if it is needed for sure.

    Raises:
        LimitsError: The environment variable that lifts the bounds is not understood.
    """
    read_apart_from_now_on(COMMAND_LINE, (Kind.PICKLED, Kind.DATA_SETS))
    if limits_for(Kind.PICKLED) is None:
        return
    has_data = getattr(options, "data", "scenes") != "scenes"
    tasks = {
        "weights": Path(getattr(options, WEIGHTS, "")).suffix.lower() not in ("", ".safetensors"),
        "data set": has_data and options.command != "check",
        "check": has_data and options.command == "check",
    }
    if needed := [task for task, is_needed in tasks.items() if is_needed]:
        from core.reader import warm_up  # which most commands need not import

        warm_up(*needed)


def _report_trouble(error: OSError) -> int:
    """Prints which file the system refuses; only the output has no name."""
    name = error.filename2 or error.filename
    if name is None:
        if error.errno not in WRITING:
            raise error
        _drop_output()
    return report_error(f"{name or 'The output'} cannot be used: {explain(error)}", 1)


def _drop_output() -> None:
    """Discards the buffered output, which Python would otherwise try to write again at exit."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:  # not every output is a file
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def build_config(options: argparse.Namespace) -> Config:
    """Returns the settings: the defaults, overridden by a recipe, then by the file given with --config, then by flags.

    Raises:
        ConfigError: A setting is invalid, or the file cannot be read.
    """
    flags = {path: value for path, value in vars(options).items() if path in knobs()}
    config = (Config.from_file(options.config) if options.config else Config()).replace(flags)
    recipe = getattr(options, "recipe", "")
    return apply_recipe(recipe, config) if recipe else config


def _run_command(config: Config, options: argparse.Namespace) -> None:
    # Imported here since PyTorch takes seconds to import, which refusing a setting does not need.
    with without_garbage_collection():
        from core.cli.common import tell

        command = find_command(options.command)
    tell(describe_idle(config, options))
    try:
        result = command(config, options)
    except IncompleteError as error:
        _write_result(error.result, options)
        raise
    _write_result(result, options)


def _write_result(result: Any, options: argparse.Namespace) -> None:
    from core.cli.common import is_main_process

    if result is not None and options.json and is_main_process():
        write_text(options.json, json.dumps(result, indent=2, allow_nan=False) + "\n")

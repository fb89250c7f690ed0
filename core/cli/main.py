"""What `python -m core` understands: a flag for every hyperparameter, made from its declaration."""

import argparse
import json
from collections.abc import Sequence

from core.cli.parser import _complain, _parse
from core.config import Config, ConfigError, knobs
from core.io.atomic import OutputError, require_writable, write_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0, 1 for what cannot be done, 2 for what is not understood."""
    options = _parse(arguments)
    try:
        config = config_of(options)
        for file in (options.json, getattr(options, "report", None)):
            if file:
                require_writable(file)
        return _run(config, options)
    except (ConfigError, OutputError) as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return _complain("Stopped.", 130)


def config_of(options: argparse.Namespace) -> Config:
    """Returns the settings: defaults, then the file given with --config, then the flags.

    Raises:
        ConfigError: A setting is wrong, or the file cannot be read.
    """
    flags = {path: value for path, value in vars(options).items() if path in knobs()}
    return (Config.from_file(options.config) if options.config else Config()).replace(flags)


def _run(config: Config, options: argparse.Namespace) -> int:
    # PyTorch takes seconds to import: not for --help, nor to refuse a flag
    from core.cli.commands import COMMANDS, REFUSALS
    from core.cli.common import writes_files

    try:
        result = COMMANDS[options.command](config, options)
        if options.json and writes_files():
            write_text(options.json, json.dumps(result, indent=2, allow_nan=False) + "\n")
    except REFUSALS as error:
        return _refuse(error)
    return 0


def _refuse(error: Exception) -> int:
    message = str(error)
    if isinstance(error, OSError) and error.filename:
        message = f"{error.filename} cannot be used: {error.strerror}."
    return _complain(message, 2 if isinstance(error, ConfigError) else 1)

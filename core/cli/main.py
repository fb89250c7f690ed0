"""Runs one command of `python -m core`."""

import argparse
import json
from collections.abc import Sequence

from core.cli.parser import complain, parse
from core.config import Config, ConfigError, knobs
from core.errors import UserError
from core.io.atomic import require_writable, write_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0, 1 for what cannot be done, 2 for what is not understood."""
    options = parse(arguments)
    try:
        config = config_of(options)
        for file in (options.json, getattr(options, "report", None)):
            if file:
                require_writable(file)
        _run(config, options)
    except UserError as error:
        return complain(str(error), 2 if isinstance(error, ConfigError) else 1)
    except OSError as error:  # a full disk, a folder without permission
        if not error.filename:
            raise
        return complain(f"{error.filename} cannot be used: {error.strerror}.", 1)
    except KeyboardInterrupt:
        return complain("Stopped.", 130)
    return 0


def config_of(options: argparse.Namespace) -> Config:
    """Returns the settings: defaults, then the file given with --config, then the flags.

    Raises:
        ConfigError: A setting is wrong, or the file cannot be read.
    """
    flags = {path: value for path, value in vars(options).items() if path in knobs()}
    return (Config.from_file(options.config) if options.config else Config()).replace(flags)


def _run(config: Config, options: argparse.Namespace) -> None:
    # PyTorch takes seconds to import: not for --help, nor to refuse a flag
    from core.cli.commands import COMMANDS
    from core.cli.common import writes_files

    result = COMMANDS[options.command](config, options)
    if options.json and writes_files():
        write_text(options.json, json.dumps(result, indent=2, allow_nan=False) + "\n")

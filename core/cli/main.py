"""The entry point of the command line."""

from collections.abc import Sequence

from core.cli.parser import parse
from core.io.text import print_any_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status: 2 if the arguments are invalid, else see `core.cli.running.run`."""
    print_any_text()
    options = parse(arguments)
    from core.cli.running import run  # imports every declaration, which --help does not need

    return run(options)

"""The programs of the page's parts, in JavaScript."""

from pathlib import Path

FOLDER = Path(__file__).parents[1]


def read_scripts(*files: str) -> str:
    """Returns one program made of several files, in this order.

    Args:
        files: Paths below `playground/`, such as "components/button.js".
    """
    return "\n".join((FOLDER / file).read_text("utf-8") for file in files)

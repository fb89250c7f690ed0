"""What people call a run: a name and tags, kept in its folder. They come from anyone and are bounded, never trusted."""

import json
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.io.atomic import write_text

FILE = "label.json"
MAX_NAME, MAX_TAG, MAX_TAGS = 80, 24, 8  # characters, characters, tags


class Label(NamedTuple):
    """A run's name, "" for none, and its tags."""

    name: str = ""
    tags: tuple[str, ...] = ()


def parse_label(name: object, tags: object) -> Label:
    """Reads what a visitor typed.

    Args:
        name: Text.
        tags: Text with commas between them.

    Raises:
        UserError: It is no such text, or too much of it.
    """
    if not isinstance(name, str) or not isinstance(tags, str):
        raise UserError("A run's name and tags must be text: reload the page.")
    parts = tuple(dict.fromkeys(filter(None, map(_plain, tags.split(",")))))
    label = Label(_plain(name), parts)
    if len(label.name) > MAX_NAME:
        raise UserError(
            f"The name has {len(label.name)} characters; at most {MAX_NAME} are kept: choose a shorter one."
        )
    if len(parts) > MAX_TAGS:
        raise UserError(f"These are {len(parts)} tags; at most {MAX_TAGS} are kept: leave some out.")
    for tag in parts:
        if len(tag) > MAX_TAG:
            raise UserError(
                f"The tag {tag!r} has {len(tag)} characters; at most {MAX_TAG} are kept: choose a shorter one."
            )
    return label


def read_label(folder: Path) -> Label:
    """Returns what a run's folder has; none where it has none that can be read."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
        return parse_label(found["name"], ",".join(found["tags"]))
    except (UserError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return Label()


def write_label(folder: Path, label: Label) -> None:
    """Keeps a label in a run's folder, whole or not at all."""
    write_text(folder / FILE, json.dumps(label._asdict()) + "\n")


def _plain(text: str) -> str:
    """Returns text on one line, without characters that do not print."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())

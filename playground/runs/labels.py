"""Labels of runs: a name and tags, stored in the run's folder. They come from visitors, so they are validated."""

import json
from pathlib import Path
from typing import NamedTuple

from core.errors import UserError
from core.io.atomic import write_text
from core.io.records import read_object

FILE = "label.json"
MAX_NAME, MAX_TAG, MAX_TAGS = 80, 24, 8  # characters, characters, tags


class Label(NamedTuple):
    """The name of a run, "" for none, and its tags."""

    name: str = ""
    tags: tuple[str, ...] = ()


def parse_label(name: object, tags: object) -> Label:
    """Parses a label that a visitor typed.

    Args:
        name: Text.
        tags: Text, with commas between the tags.

    Raises:
        UserError: One of them is not text, or too long.
    """
    if not isinstance(name, str) or not isinstance(tags, str):
        raise UserError("The name and tags of a run must be text: reload the page.")
    parts = tuple(dict.fromkeys(filter(None, map(_clean, tags.split(",")))))
    label = Label(_clean(name), parts)
    if len(label.name) > MAX_NAME:
        raise UserError(
            f"The name has {len(label.name)} characters, but at most {MAX_NAME} are allowed: choose a shorter one."
        )
    if len(parts) > MAX_TAGS:
        raise UserError(f"There are {len(parts)} tags, but at most {MAX_TAGS} are allowed: leave some out.")
    for tag in parts:
        if len(tag) > MAX_TAG:
            raise UserError(
                f"The tag {tag[:MAX_TAG]!r}… has {len(tag)} characters, but at most {MAX_TAG} are allowed: choose a "
                "shorter one."
            )
    return label


def read_label(folder: Path) -> Label:
    """Returns the label in a run's folder, an empty one if there is none or it cannot be read."""
    try:
        values = read_object(folder / FILE) or {}
        return parse_label(values["name"], ",".join(values["tags"]))
    except (UserError, KeyError, TypeError):
        return Label()


def write_label(folder: Path, label: Label) -> None:
    """Writes a label into a run's folder; the file is written completely or not at all."""
    write_text(folder / FILE, json.dumps(label._asdict()) + "\n")


def _clean(text: str) -> str:
    """Returns text as a single line without unprintable characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())

"""Names of numbered categories, from the card of a data set in Hugging Face's form."""

from collections.abc import Iterator
from typing import Any

from core.data.files import FolderFiles
from core.data.formats.texts import read_text
from core.data.formats.values import parse_name
from core.data.formats.yaml_files import load_yaml
from core.data.untrusted import DataError

MAX_CARD_BYTES = 2**17


def read_class_labels(files: FolderFiles) -> tuple[str, ...]:
    """Returns the class names in the head of `README.md`; () if it has none, or several lists."""
    found = set()
    for path in files.find(".md"):
        if path.name.lower() == "readme.md":
            try:
                found |= set(_find_names(_read_head(read_text(path, MAX_CARD_BYTES))))
            except DataError:  # a text for people
                continue
    return found.pop() if len(found) == 1 else ()


def _read_head(text: str) -> Any:
    """Returns the YAML between the first two lines of three dashes; None if there is none."""
    parts = text.split("---", 2)
    if len(parts) < 3 or parts[0].strip():
        return None
    try:
        return load_yaml(parts[1])
    except ValueError:
        return None


def _find_names(values: Any) -> Iterator[tuple[str, ...]]:
    """Yields the lists of names of `class_label`, wherever they are; aliases are followed once."""
    seen: set[int] = set()
    rest = [values]
    while rest:
        value = rest.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        rest += value.values() if isinstance(value, dict) else value
        label = value.get("class_label") if isinstance(value, dict) else None
        names = label.get("names") if isinstance(label, dict) else None
        if isinstance(names, dict):
            names = [names.get(str(number)) for number in range(len(names))]
        valid = [name for each in names if (name := parse_name(each))] if isinstance(names, list) else []
        if isinstance(names, list) and 0 < len(names) == len(valid):
            yield tuple(valid)

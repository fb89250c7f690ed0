"""The class names that stand in a weights file, beside its tensors."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from core.io.text import is_text, join_names
from core.weights.assumptions import describe_names, describe_unused_names
from core.weights.metadata import MAX_NAME
from core.weights.weights import BACKGROUND_FIRST

HOLDERS = ("hyper_parameters", "hparams", "meta", "metadata", "dataset_meta", "config", "checkpoint")
NAME_KEYS = (
    *("label_dict", "class_names", "classes", "CLASSES", "names", "categories"),
    *("id2label", "label2id", "class_to_idx", "idx_to_class"),
)
MAX_DEPTH = 3  # of dictionaries in `HOLDERS`
MAX_DIGITS = 6  # of the number of a class as text
MAX_NAMES = 10**5  # in a list or table
MAX_JSON = 10**6  # characters of one that is text


class Named(NamedTuple):
    """Class names as a file has them.

    Attributes:
        key: Where they stand.
        names: Name by the number of the class; empty if they cannot be read.
        is_list: Whether their order alone gives the numbers.
    """

    key: str
    names: Mapping[int, str]
    is_list: bool


def find_class_names(content: Any) -> tuple[Named, ...]:
    """Returns all lists and tables of class names in the content of a file, or in its metadata, which are text."""
    found, seen = [], dict[int, Any]()  # which keeps what was seen, so that nothing else gets its id
    for holder in _find_holders(content):
        for key in NAME_KEYS:
            given = holder.get(key)
            if id(given) in seen:  # a file may have the same list under many keys
                continue
            seen[id(given)] = given
            value = _parse(given)
            is_empty = isinstance(value, Mapping | Sequence) and not value
            if value is not None and not isinstance(value, int | float) and not is_empty:
                is_list = isinstance(value, Sequence) and not any(isinstance(each, Mapping) for each in value)
                found.append(Named(key, _read_names(value), is_list))
    return tuple(found)


def choose_class_names(found: Sequence[Named], num_classes: int, *, name: str) -> tuple[tuple[str, ...], str]:
    """Chooses the names that fit a network.

    Args:
        found: From `find_class_names`.
        num_classes: Number of classes of the network, K.
        name: Name of the file in the sentence.

    Returns:
        The K names, or () if none or several fit, and a sentence on them; "" if there are none.
    """
    fitting = list(dict.fromkeys(names for each in found if (names := _fit(each, num_classes))))
    if len(fitting) == 1:
        return fitting[0], describe_names(name, fitting[0])
    if fitting:
        keys = join_names(list(dict.fromkeys(each.key for each in found)))
        return (), f"{name} names its classes in several ways ({keys}), which disagree: none is used."
    return (), _describe_unused(found, num_classes, name) if found else ""


def _find_holders(content: Any) -> Iterator[Mapping[Any, Any]]:
    level, seen = [content], list[Mapping[Any, Any]]()
    for _ in range(MAX_DEPTH):
        holders = [each for each in level if isinstance(each, Mapping) and not any(each is other for other in seen)]
        seen += holders
        yield from holders
        level = [_parse(holder.get(key)) for holder in holders for key in HOLDERS]


def _parse(value: Any) -> Any:
    """Returns what JSON text holds, as the metadata of safetensors files have it, and any other value as it is."""
    try:
        return json.loads(value) if isinstance(value, str) and len(value) <= MAX_JSON and is_text(value) else value
    except (ValueError, RecursionError):
        return value


def _read_names(value: Any) -> dict[int, str]:
    """Returns name by number from a list, a table between names and numbers, or COCO's list of categories."""
    if isinstance(value, Mapping | Sequence) and len(value) > MAX_NAMES:
        return {}
    if isinstance(value, Mapping):
        pairs = [pair if _to_number(pair[0]) is not None else pair[::-1] for pair in value.items()]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        pairs = [
            (each.get("id"), each.get("name")) if isinstance(each, Mapping) else (number, each)
            for number, each in enumerate(value)
        ]
    else:
        pairs = []
    names = {number: name for key, name in pairs if (number := _to_number(key)) is not None and _is_name(name)}
    return names if len(names) == len(pairs) else {}


def _to_number(value: Any) -> int | None:
    """Returns the number of a class, which JSON has as text where it is a key."""
    if is_text(value) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return value if type(value) is int and value >= 0 else None


def _is_name(value: Any) -> bool:
    return is_text(value) and 0 < len(value) <= MAX_NAME


def _fit(found: Named, num_classes: int) -> tuple[str, ...]:
    """Returns a name for each class, with "class 0" and so on where a table has none; () if the numbers do not fit."""
    if not found.names or max(found.names) + 1 != num_classes:
        return ()
    return tuple(found.names.get(number, f"class {number}") for number in range(num_classes))


def _describe_unused(found: Sequence[Named], num_classes: int, name: str) -> str:
    first = next((each for each in found if each.names), None)
    if first is None:
        return f"The class names in {name} ({found[0].key}) cannot be read and are not used."
    sentence = describe_unused_names(name, list(first.names.values()), num_classes)
    if first.is_list and len(first.names) == num_classes - 1:
        sentence += f" {BACKGROUND_FIRST}"
    return sentence

"""JSON files of annotations: what they are, without reading them as Python objects, and their typed content."""

import json
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from core.data.formats.json_count import JsonCount, count_json
from core.data.formats.texts import HEAD_BYTES, read_head, recode_text
from core.data.untrusted import DataError, read_bounded

T = TypeVar("T")
MAX_JSON_BYTES = 512 * 2**20  # COCO's own instances_train2017.json has 448 MB
MIN_COUNTED = 2**22  # bytes; what a smaller file unfolds to fits in memory
# COCO's instances_train2017.json has 10⁶, 4·10⁶ and 4·10⁷ of these, which take some 100, 64 and 32 bytes each.
MAX_OUTER, MAX_CONTAINERS, MAX_VALUES = 6 * 10**6, 12 * 10**6, 64 * 10**6
MAX_BUILT = 12 * 10**6  # values of a file of which everything becomes Python objects
MAX_REPAIRS = 1_000_000
MAX_DIGITS = 400  # in front of an exponent
MAX_KEYS = 200
MAX_COUNTS = 1000  # that are remembered
_UNUSUAL = re.compile(rb"NaN|-?Infinity|[eE]\+?\d{3,400}")
_MANTISSA = re.compile(rb"(?<![\d.])-?\d++(?:\.\d++)?\Z")
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_LIST_KEY = re.compile(r'"(\w{1,40})"\s*:\s*\[')

_counts: dict[tuple[Path, int, int], JsonCount] = {}  # by file, its time and the number of bytes counted


class JsonShape(NamedTuple):
    """What a JSON file holds, to recognise its format.

    Attributes:
        keys: The keys of the object; those of the first entry of each list in it, as "images[].id"; those of the first
            entry if the file is a list, as "[].image"; and those of the object's first value, as "{}.regions". Of a
            damaged file the keys of lists that its beginning shows.
        damaged: True if the file is not JSON or too large.
    """

    keys: frozenset[str]
    damaged: bool = False


def sniff_json(path: Path) -> JsonShape:
    """Returns what a JSON file holds; reads it once for all formats."""
    try:
        status = path.stat()
    except OSError:
        return JsonShape(frozenset(), damaged=True)
    return _sniff_json(path, status.st_size, status.st_mtime_ns)


def read_json(path: Path, kind: type[T], most: int = MAX_VALUES) -> T:
    """Reads a JSON file as a type that `msgspec` knows.

    Args:
        path: The file.
        kind: The type.
        most: Number of values above which the file is refused; `MAX_BUILT` for a type that keeps all of them.

    Raises:
        DataError: It cannot be read, is too large, is not JSON, or has another type.
    """
    content = read_utf8(path, most)
    try:
        return decode_json(content, kind)
    except ValueError as error:
        raise DataError(f"{path} cannot be used because it is not JSON ({error}): export it again.") from None


def decode_json(content: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Decodes JSON as a type that `msgspec` knows; `NaN` and numbers that no float can hold become null.

    Raises:
        ValueError: It is not JSON, or of another type.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        repaired = _repair(bytes(content))
        if repaired is None:
            raise ValueError(str(error)) from None
    try:
        return msgspec.json.decode(repaired, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _repair(content: bytes) -> bytes | None:
    """Replaces numbers that many tools write but the JSON standard does not know by null; None if there are none."""
    parts: list[bytes] = []
    in_text, seen, copied = False, 0, 0
    for count, token in enumerate(_UNUSUAL.finditer(content)):
        between = content[seen : token.start()]
        quotes = (_ESCAPE.sub(b"", between) if b"\\" in between else between).count(b'"')
        in_text, seen = in_text != (quotes % 2 == 1), token.end()
        if count > MAX_REPAIRS:
            return None
        if not in_text and (start := _find_start(content, token)) is not None:
            parts += (content[copied:start], b"null")
            copied = seen
    return b"".join((*parts, content[copied:])) if parts else None


def _find_start(content: bytes, token: re.Match[bytes]) -> int | None:
    """Returns where a number that no float can hold begins; None if a float can."""
    if token[0][:1] not in b"eE":
        return token.start()
    before = content[max(0, token.start() - MAX_DIGITS) : token.start()]
    mantissa = _MANTISSA.search(before)
    if mantissa is None or math.isfinite(float(mantissa[0] + token[0])):
        return None
    return token.start() - len(mantissa[0])


def read_utf8(path: Path, most: int = MAX_VALUES) -> bytes:
    """Reads a JSON file of at most so many values without a byte-order mark; one in UTF-16 or UTF-32 is converted.

    Raises:
        DataError: It cannot be read, or is too large.
    """
    content = read_bounded(path, MAX_JSON_BYTES)
    try:
        content = recode_text(content, MAX_JSON_BYTES)
    except UnicodeDecodeError:
        pass  # the parser reports it
    except OverflowError:
        raise DataError(f"{path} is too large for its encoding: save it in UTF-8.") from None
    _require_values(content, most, path)
    return content


def _require_values(content: bytes, most: int, path: Path) -> None:
    """Raises `DataError` if Python objects of a file's JSON in UTF-8 would take much more memory than it does."""
    if len(content) <= MIN_COUNTED:
        return
    count = _count(content, path)
    if count.values > most or count.containers > MAX_CONTAINERS or count.outer > MAX_OUTER:
        raise DataError(
            f"{path} holds up to {count.values:,} values, more than are read: split the data set into smaller ones."
        )


def _count(content: bytes, path: Path) -> JsonCount:
    """Counts the values of a file, once for all that read it."""
    try:
        key = path, path.stat().st_mtime_ns, len(content)
    except OSError:
        return count_json(content)
    count = _counts.get(key)
    if count is None:
        if len(_counts) >= MAX_COUNTS:
            _counts.clear()
        count = _counts[key] = count_json(content)
    return count


@lru_cache(maxsize=2**18)
def _sniff_json(path: Path, size: int, modified: int) -> JsonShape:
    """The arguments beside the path make a changed file another entry of the cache."""
    try:
        content = read_utf8(path)
        if _starts_with(content, b"["):
            return JsonShape(frozenset(f"[].{key}" for key in _keys_of_first(content)))
        return JsonShape(_describe_object(decode_json(content, dict[str, msgspec.Raw])))
    except (DataError, ValueError):
        return JsonShape(frozenset(_LIST_KEY.findall(read_head(path))), damaged=True)


def _describe_object(values: dict[str, msgspec.Raw]) -> frozenset[str]:
    names = list(values)[:MAX_KEYS]
    keys = set(names)
    for key in names:
        if _starts_with(values[key], b"["):
            keys |= {f"{key}[].{each}" for each in _keys_of_first(values[key])}
    if names:
        keys |= {f"{{}}.{each}" for each in _keys_of(values[names[0]])}
    return frozenset(keys)


def _starts_with(content: bytes | msgspec.Raw, mark: bytes) -> bool:
    return bytes(memoryview(content)[:1000]).lstrip().startswith(mark)


def _keys_of_first(content: bytes | msgspec.Raw) -> list[str]:
    """Returns the keys of a list's first entry, if that is an object."""
    head = bytes(memoryview(content)[:HEAD_BYTES]).decode("utf-8", errors="replace").lstrip().removeprefix("[")
    try:
        entry, _ = json.JSONDecoder().raw_decode(head.lstrip())
    except (ValueError, RecursionError):  # an entry longer than the head, or none
        entries = decode_json(content, list[msgspec.Raw])
        return _keys_of(entries[0]) if entries else []
    return list(entry)[:MAX_KEYS] if isinstance(entry, dict) else []


def _keys_of(content: msgspec.Raw) -> list[str]:
    """Returns the keys of an object; [] for anything else."""
    return list(decode_json(content, dict[str, msgspec.Raw]))[:MAX_KEYS] if _starts_with(content, b"{") else []

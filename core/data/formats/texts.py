"""Text files of annotations: their encoding, their lines and their beginning."""

import codecs
from pathlib import Path

from core.data.untrusted import DataError, read_bounded

MAX_LIST_BYTES = 64 * 2**20
MAX_LINES = 4 * 10**6  # an empty one takes a byte in the file and eight in a list
HEAD_BYTES = 2**16
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(path: Path, limit: int = MAX_LIST_BYTES) -> str:
    """Reads a text in UTF-8, or in UTF-16 with a byte-order mark, without that mark.

    Raises:
        DataError: The file cannot be read, is larger than `limit` bytes, has more than `MAX_LINES` lines or another
            encoding.
    """
    content = read_bounded(path, limit)
    if content.count(b"\n") + content.count(b"\r") > 2 * MAX_LINES:  # some systems end a line with both
        raise DataError(f"{path} has more than {MAX_LINES:,} lines: split the data set into smaller ones.")
    try:
        return decode_text(content)
    except UnicodeDecodeError:
        raise DataError(f"{path} cannot be used because it is not text in UTF-8: save it in UTF-8.") from None


def read_lines(path: Path, limit: int = MAX_LIST_BYTES) -> list[str]:
    """Reads the lines of a text without space around them, those without text included; see `read_text`."""
    return [line.strip() for line in read_text(path, limit).replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def decode_text(content: bytes) -> str:
    """Decodes a text in UTF-8, or in UTF-16 with a byte-order mark; raises `UnicodeDecodeError` for others."""
    return content.decode(next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8"))


def read_head(path: Path, size: int = HEAD_BYTES) -> str:
    """Reads the beginning of a file as text, to recognise it; "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(size)
    except OSError:
        return ""
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    return content.decode(encoding, errors="replace")

"""Text files of annotations: their encoding, their lines and their beginning."""

import codecs
from pathlib import Path

from core.data.untrusted import DataError, read_bounded

MAX_LIST_BYTES = 64 * 2**20
MAX_LINES = 4 * 10**6  # an empty one takes a byte in the file and eight in a list
HEAD_BYTES = 2**16
_MARKS = {  # that of UTF-32 begins with that of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PIECE = 2**22  # bytes that are recoded together
_NUL = "\0"  # which no text holds, but UTF-16 without a byte-order mark that is read as UTF-8


def read_text(path: Path, limit: int = MAX_LIST_BYTES) -> str:
    """Reads a text in UTF-8, or in UTF-16 or UTF-32 with a byte-order mark, without that mark.

    Raises:
        DataError: The file cannot be read, is larger than `limit` bytes, has more than `MAX_LINES` lines or another
            encoding.
    """
    content = read_bounded(path, limit)
    if content.count(b"\n") + content.count(b"\r") > 2 * MAX_LINES:  # some systems end a line with both
        raise DataError(f"{path} has more than {MAX_LINES:,} lines: split the data set into smaller ones.")
    try:
        text = decode_text(content)
    except UnicodeDecodeError:
        text = _NUL
    if _NUL in text:
        raise DataError(f"{path} cannot be used because it is not text in UTF-8: save it in UTF-8.")
    return text


def read_lines(path: Path, limit: int = MAX_LIST_BYTES) -> list[str]:
    """Reads the lines of a text without space around them, those without text included; see `read_text`."""
    return [line.strip() for line in read_text(path, limit).replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def decode_text(content: bytes) -> str:
    """Decodes a text in UTF-8, or in UTF-16 or UTF-32 with a mark; raises `UnicodeDecodeError` for others."""
    return content.decode(_find_encoding(content))


def recode_text(content: bytes, most: int) -> bytes:
    """Returns a text in UTF-8 without a byte-order mark, from any encoding of `decode_text`.

    It is recoded piece by piece: decoded as a whole, it may take eight times its bytes.

    Raises:
        OverflowError: It has more than `most` bytes in UTF-8.
        UnicodeDecodeError: It is in another encoding.
    """
    encoding = _find_encoding(content)
    if encoding == "utf-8":
        return content
    decoder, result = codecs.getincrementaldecoder(encoding)(), bytearray()
    for first in range(0, len(content), _PIECE):
        piece = content[first : first + _PIECE]
        result += decoder.decode(piece, final=first + _PIECE >= len(content)).encode()
        if len(result) > most:
            raise OverflowError
    return bytes(result)


def _find_encoding(content: bytes) -> str:
    return next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")


def read_head(path: Path, size: int = HEAD_BYTES) -> str:
    """Reads the beginning of a file as text, to recognise it; "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(size)
    except OSError:
        return ""
    return content.decode(_find_encoding(content), errors="replace")

"""XML files of annotations, parsed safely."""

import re
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from core.data.formats.texts import HEAD_BYTES
from core.data.untrusted import DataError, read_bounded

_ENCODING = re.compile(rb"""\s{0,9}<\?xml[^>]{1,99}encoding\s{0,9}=\s{0,9}["']([\w.-]{1,40})["']""")
# Encodings that the parser does not know; GB 2312 as its usual extension.
_MANY_BYTES = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5", "shift_jis": "cp932",
    "euc-jp": "euc_jp", "euc-kr": "cp949",
}  # fmt: skip

MAX_TAGS, MAX_ATTRIBUTES = 4 * 10**6, 10**7  # which take up to 100 bytes each; CVAT's 128 MB have 10⁶ and 7·10⁶


class _PlainXml(ElementTree.TreeBuilder):
    """Builds the tree of a document and rejects document type declarations, which can define entities."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise DataError("it declares a document type, which may hide entities")


class _RootFound(Exception):
    """The name of the root, which ends the parsing."""


class _RootOnly:
    """A target of the parser that stops at the first element, or before entities are defined."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise _RootFound(name)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        raise _RootFound(tag)


def sniff_root(path: Path) -> str | None:
    """Returns the plain name of a document's root, see `read_xml`; None if it cannot be told, as for a damaged file.

    A file is read once for all formats.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return _sniff_root(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2**18)
def _sniff_root(path: Path, size: int, modified: int) -> str | None:
    """The arguments beside the path make a changed file another entry of the cache."""
    try:
        with path.open("rb") as file:
            content = file.read(HEAD_BYTES)
        content, encoding = _recode(content, errors="ignore")  # the last character may be cut
        ElementTree.XMLParser(target=_RootOnly(), encoding=encoding).feed(content)
    except _RootFound as found:
        return _plain(str(found))
    except (OSError, ElementTree.ParseError, LookupError, ValueError):  # LookupError: unknown encoding
        return None
    return None


def read_xml(path: Path, limit: int, remedy: str) -> ElementTree.Element:
    """Reads a document of at most `limit` bytes; its elements have plain names: in lower case, without a namespace.

    Raises:
        DataError: It cannot be read, is too large, is not XML, or declares a document type.
    """
    try:
        content, encoding = _recode(read_bounded(path, limit))
    except (LookupError, ValueError) as error:
        raise DataError(f"{path} cannot be used because {error}: {remedy}.") from None
    if content.count(b"<") > MAX_TAGS or content.count(b"=") > MAX_ATTRIBUTES:  # bytes of them in UTF-16, too
        raise DataError(f"{path} has more elements than are read: split the data set into smaller ones.")
    try:
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_PlainXml(), encoding=encoding))
    except (DataError, ElementTree.ParseError, LookupError, ValueError) as error:
        raise DataError(f"{path} cannot be used because {error}: {remedy}.") from None
    for element in root.iter():
        element.tag = _plain(element.tag)
    return root


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def _recode(content: bytes, errors: str = "strict") -> tuple[bytes, str | None]:
    """Returns a document that the parser can read, and its encoding if that is not the declared one.

    Raises:
        UnicodeDecodeError: The content is not in the declared encoding.
    """
    declared = _ENCODING.match(content)
    name = declared[1].decode("ascii", errors="replace").lower() if declared else ""
    if name in _MANY_BYTES:
        return content.decode(_MANY_BYTES[name], errors).encode(), "utf-8"
    return content, "utf-8" if name.startswith("utf-16") else None  # a declaration that can be read is not in UTF-16

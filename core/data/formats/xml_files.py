"""XML files of annotations, parsed safely."""

from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from core.data.formats.texts import HEAD_BYTES
from core.data.untrusted import DataError, read_bounded


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
    """Returns the name of a document's root; None if it cannot be told, as for a damaged file.

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
        ElementTree.XMLParser(target=_RootOnly()).feed(content)
    except _RootFound as found:
        return str(found)
    except (OSError, ElementTree.ParseError, LookupError, ValueError):  # LookupError: unknown encoding
        return None
    return None


def read_xml(path: Path, limit: int, remedy: str) -> ElementTree.Element:
    """Reads a document of at most `limit` bytes.

    Raises:
        DataError: It cannot be read, is too large, is not XML, or declares a document type.
    """
    content = read_bounded(path, limit)
    try:
        return ElementTree.fromstring(content, ElementTree.XMLParser(target=_PlainXml()))
    except (DataError, ElementTree.ParseError, LookupError, ValueError) as error:
        raise DataError(f"{path} cannot be used because {error}: {remedy}.") from None

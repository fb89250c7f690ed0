"""Archives by their first bytes and names, to say what a file is that is not what was asked for."""

from collections.abc import Iterable
from pathlib import Path

_MARKS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b": "a gzip or tar.gz archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
}
_SUFFIXES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".rar", ".7z")
_HEAD = 512  # bytes


def explain_no_zip(path: Path) -> str:
    """Returns what a file that is no zip is and what to do, as a sentence without a subject."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    kind = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if head[257:262] == b"ustar":
        kind = "a tar archive"
    if kind:
        return f"is {kind}, not a zip: unpack it and pack its folder as a zip."
    if not head:
        return "is not a zip or is damaged, since it is empty: pack or copy it again."
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a zip: download the file itself."
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file itself: fetch it with git lfs pull."
    return "is not a zip or is damaged: pack or copy it again."


def describe_archives(names: Iterable[str]) -> str:
    """Returns a sentence that the first archive among some files must be unpacked, with a space before it; or ""."""
    found = next((name for name in names if name.lower().endswith(_SUFFIXES)), None)
    return f" {found} is an archive, which is not read: unpack it there." if found else ""

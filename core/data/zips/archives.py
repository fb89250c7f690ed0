"""Archives by their first bytes and names, to say what a file is that is not what was asked for."""

from collections.abc import Iterable
from pathlib import Path

from core.io.signatures import HEAD, LFS_POINTER, name_archive

_SUFFIXES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".rar", ".7z")


def explain_no_zip(path: Path) -> str:
    """Returns what a file that is no zip is and what to do, as a sentence without a subject."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if kind := name_archive(head):
        return f"is {kind}, not a zip: unpack it and pack its folder as a zip."
    if not head:
        return "is not a zip or is damaged, since it is empty: pack or copy it again."
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a zip: download the file itself."
    if head.startswith(LFS_POINTER):
        return "is a pointer of Git LFS, not the file itself: fetch it with git lfs pull."
    return "is not a zip or is damaged: pack or copy it again."


def describe_archives(names: Iterable[str]) -> str:
    """Returns a sentence that the first archive among some files must be unpacked, with a space before it; or ""."""
    found = next((name for name in names if name.lower().endswith(_SUFFIXES)), None)
    return f" {found} is an archive, which is not read: unpack it there." if found else ""

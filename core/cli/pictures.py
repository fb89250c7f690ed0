"""The pictures that a command line names: files, folders and patterns."""

import glob
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.data.files import is_junk, list_files
from core.data.images import FORMATS, require_file
from core.errors import PictureError

MAX_NAMED = 3  # files that are left out and named


class Pictures(NamedTuple):
    """Pictures in the order in which they are numbered.

    Attributes:
        paths: Paths of the files.
        names: A unique name for each: below its folder, or without one; the path where that is not unique.
        left_out: The files of the folders that are not pictures.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    left_out: tuple[Path, ...]

    def describe_left_out(self) -> str:
        """Returns the number of files that are not pictures in words, "" for none."""
        if not self.left_out:
            return ""
        more = ", …" if len(self.left_out) > MAX_NAMED else ""
        named = ", ".join(path.name for path in self.left_out[:MAX_NAMED]) + more
        return f"other files left out: {len(self.left_out)} ({named})"


def find_pictures(arguments: Sequence[Path], *, without: Path | None) -> Pictures:
    """Finds the pictures that arguments name.

    A file is taken as it is; of a folder, all pictures at any depth, sorted, without what operating systems leave
    there; of a pattern such as `*.jpg`, which some shells pass on, what it matches.

    Args:
        arguments: Files, folders and patterns.
        without: A folder whose files are not taken from another one: drawings of an earlier call.

    Raises:
        PictureError: An argument names no file, or a folder without pictures.
        core.data.untrusted.DataError: A folder cannot be read.
    """
    found: list[tuple[Path, str]] = []
    left_out: list[Path] = []
    for argument in (path for each in arguments for path in _expand(each)):
        if not argument.is_dir():
            require_file(argument)
            found.append((argument, argument.name))
            continue
        pictures, others = _search_folder(argument, without)
        found += [(argument / name, name) for name in pictures]
        left_out += [argument / name for name in others]
    paths, names = zip(*found, strict=True)
    if len(set(names)) < len(names):
        names = tuple(map(str, paths))
    return Pictures(paths, names, tuple(left_out))


def name_drawings(names: Sequence[str]) -> list[str]:
    """Returns a file name for the drawing of each picture, with its number in front if some would be the same."""
    stems = [Path(name).stem for name in names]
    if len({unicodedata.normalize("NFC", stem).casefold() for stem in stems}) < len(stems):
        width = len(str(len(stems)))
        stems = [f"{number:0{width}}-{stem}" for number, stem in enumerate(stems, start=1)]
    return [f"{stem}.png" for stem in stems]


def _expand(argument: Path) -> list[Path]:
    if argument.exists() or not glob.has_magic(str(argument)):
        return [argument]
    found = map(Path, glob.glob(str(argument), recursive=True))
    matches = sorted(path for path in found if not any(map(is_junk, path.parts)))
    if not matches:
        raise PictureError(f"No file matches {argument}: check the pattern.")
    return matches


def _search_folder(folder: Path, without: Path | None) -> tuple[list[str], list[str]]:
    """Returns the relative paths of the pictures and of the other files of a folder."""
    files = list_files(folder)
    skipped = without.resolve() if without else None
    pictures, others = list(files.images), list(files.others)
    if skipped and skipped != folder.resolve():
        pictures, others = (
            [name for name in names if not (folder / name).resolve().is_relative_to(skipped)]
            for names in (pictures, others)
        )
    if not pictures:
        raise PictureError(f"The folder {folder} holds no pictures ({', '.join(FORMATS)}): choose another one.")
    return pictures, others

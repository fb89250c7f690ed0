"""The pictures that a command line names: files, folders, patterns and lists."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.data.files import MAX_FILES, is_junk, list_files
from core.errors import PictureError
from core.io.decoding import FORMATS, require_file
from core.io.paths import fold_name, make_portable

MAX_NAMED = 3  # files that are left out and named
LIST_MARK, MAX_LINE = "@", 4096  # of an argument that names a list; characters of a path in it, and of a pattern


class Pictures(NamedTuple):
    """Pictures in the order in which they are numbered, each once.

    Attributes:
        paths: Paths of the files.
        names: A unique name for each: below its folder, or without one; the path where that is not unique.
        left_out: The files of the folders that are not pictures.
        repeated: How many times a picture was named again.
    """

    paths: tuple[str, ...]
    names: tuple[str, ...]
    left_out: tuple[Path, ...]
    repeated: int = 0

    def describe_left_out(self) -> str:
        """Returns in words how many files are not pictures, and how many were named again; "" for none."""
        parts = []
        if self.left_out:
            more = ", …" if len(self.left_out) > MAX_NAMED else ""
            named = ", ".join(path.name for path in self.left_out[:MAX_NAMED]) + more
            parts.append(f"other files left out: {len(self.left_out)} ({named})")
        if self.repeated:
            parts.append(f"named more than once: {self.repeated:,}")
        return "; ".join(parts)


def find_pictures(arguments: Sequence[Path], *, without: Path | None) -> Pictures:
    """Finds the pictures that arguments name.

    A file is taken as it is; of a folder, all pictures at any depth, sorted, without what operating systems leave
    there; of a pattern such as `*.jpg`, which some shells pass on, what it matches; of a list such as `@list.txt`, a
    text file, the picture file in each line.

    Args:
        arguments: Files, folders, patterns and lists.
        without: A folder whose files are not taken from another one: drawings of an earlier call.

    Raises:
        PictureError: An argument names no file, a folder without pictures, or a list of which no file exists.
        core.data.untrusted.DataError: A folder cannot be read.
    """
    found: dict[str, tuple[str, str]] = {}  # absolute path → path and name as given
    left_out: list[Path] = []
    count = 0
    for argument in (path for each in arguments for path in _expand(each)):
        if os.path.isdir(argument):  # these functions know names that no file can have
            pictures, others = _search_folder(argument, without)
            left_out += [argument / name for name in others]
            named = [(str(argument / name), name) for name in pictures]
        elif _is_list(argument):
            named = [(path, os.path.basename(path)) for path in _read_list(Path(str(argument)[1:]))]
        else:
            require_file(argument)
            named = [(str(argument), argument.name)]
        count += len(named)
        for path, name in named:
            found.setdefault(os.path.abspath(path), (path, name))
    paths, names = (tuple(each[field] for each in found.values()) for field in (0, 1))
    if len(set(names)) < len(names):
        names = paths
    return Pictures(paths, names, tuple(left_out), count - len(paths))


def _is_list(argument: Path) -> bool:
    return str(argument).startswith(LIST_MARK) and not os.path.exists(argument)


def _read_list(file: Path) -> list[str]:
    """Returns the paths in the lines of a list; some of the files may not exist.

    Raises:
        PictureError: The list cannot be read or is not a text, or none of its files exists.
    """
    paths: list[str] = []
    try:
        require_file(file)
        with file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            while line := lines.readline(MAX_LINE + 1):
                if len(line) > MAX_LINE or "\0" in line or len(paths) > MAX_FILES:
                    raise PictureError(
                        f"The list {file} is not a text file with the path of a picture in each of at most "
                        f"{MAX_FILES:,} lines: correct it."
                    )
                if line.strip():
                    paths.append(str(Path(line.strip())))
    except OSError as error:
        raise PictureError(f"The list {file} cannot be read ({error.strerror}): check the file.") from None
    if not any(map(os.path.isfile, paths)):
        start = f"None of the {len(paths):,} files in the list {file} exists" if paths else f"The list {file} is empty"
        raise PictureError(f"{start}: write a path in each line, absolute or from the current folder.")
    return paths


def name_drawings(names: Sequence[str]) -> list[str]:
    """Returns a file name for the drawing of each picture, with its number in front if some would be the same."""
    stems = [Path(make_portable(f"{Path(name).stem}.png")).stem for name in names]
    if len(set(map(fold_name, stems))) < len(stems):
        width = len(str(len(stems)))
        stems = [f"{number:0{width}}-{stem}" for number, stem in enumerate(stems, start=1)]
    return [f"{stem}.png" for stem in stems]


def _expand(argument: Path) -> list[Path]:
    if os.path.exists(argument) or _is_list(argument) or not glob.has_magic(str(argument)):
        return [argument]
    pattern = str(argument)
    found = map(Path, glob.glob(pattern, recursive=True) if len(pattern) <= MAX_LINE else ())
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

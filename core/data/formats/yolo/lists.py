"""Finds the splits of a YOLO data set: folders and lists that its settings name, or lists of pictures beside them."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from core.data.annotations import BAD_PATH, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.name_index import NameIndex, split_path
from core.data.formats.notes import Notes
from core.data.formats.texts import read_lines, read_text
from core.data.formats.yolo.settings import Settings
from core.data.reading.split_words import SPLIT_KEYS, SPLIT_NAME
from core.data.untrusted import DataError, quote

MAX_DATA_BYTES = 2**16
MAX_SOURCES = 1000  # folders and lists of a split


class SplitReader:
    """Assigns the pictures of a folder to splits.

    Args:
        files: The data set's files.
        report: Called for each entry of a list that names no picture.
        notes: What is assumed.
    """

    def __init__(self, files: FolderFiles, report: ReportProblem, notes: Notes) -> None:
        self._files = files
        self._report = report
        self._notes = notes
        self._index: NameIndex | None = None
        self._members: dict[str, dict[str, None]] = defaultdict(dict)
        self._lists = {_fold(path): path for path in files.others if path.lower().endswith(".txt")}
        self._folders: dict[str, list[str]] = defaultdict(list)  # the pictures of each folder, at any depth
        for image in files.images:
            parts = _fold(image).split("/")
            for number in range(len(parts)):
                self._folders["/".join(parts[:number])].append(image)

    def read(self, settings: Sequence[Settings], labels: Collection[str]) -> dict[str, str]:
        """Returns the splits of pictures, by relative path; without an entry if nothing assigns one.

        Args:
            settings: The YAML files; the first that names splits is used.
            labels: The label files, which are not lists.

        Raises:
            DataError: A list cannot be read, names a picture twice, or two splits have the same picture.
        """
        given = [each for each in settings if any(each.values.get(split) for split in SPLIT_KEYS)]
        if len(given) > 1:
            self._notes.add(f"The splits are those of {given[0].path.name}, which was preferred to other YAML files.")
        for split in SPLIT_KEYS if given else ():
            self._read_setting(given[0], split)
        if not self._members:
            for path in find_lists(self._files, labels):
                self._members[path.stem].update(dict.fromkeys(self._read_list(path)))
        return self._assign()

    def _assign(self) -> dict[str, str]:
        splits: dict[str, str] = {}
        for split, names in self._without_repetitions().items():
            for name in names:
                if name in splits:
                    raise DataError(
                        f"The splits {splits[name]} and {split} of {self._files.root} both have {quote(name)}: remove "
                        "it from one of them."
                    )
                splits[name] = split
        return splits

    def _without_repetitions(self) -> dict[str, dict[str, None]]:
        """Returns the members of the splits; of two splits with the same pictures only the first, if others remain."""
        members = {split: names for split, names in self._members.items() if names}
        first: dict[frozenset[str], str] = {}
        for split, names in members.items():
            same = first.setdefault(frozenset(names), split)
            if same != split:
                self._notes.add(f"The splits {same} and {split} name the same pictures: {split} was not used.")
        return {split: members[split] for split in first.values()} if len(first) > 1 or len(members) == 1 else {}

    def _read_setting(self, settings: Settings, split: str) -> None:
        given = settings.values.get(split)
        names = given if isinstance(given, list) else [given] if given else []
        for name in names[:MAX_SOURCES]:
            if not isinstance(name, str) or len(names) > MAX_SOURCES:
                raise DataError(
                    f"{settings.path} says that {split} is at {quote(name)}, not a folder or list of pictures: "
                    "give a path relative to the data set, such as images/train."
                )
            found = self._resolve(settings, name)
            if found is None:
                self._notes.add(
                    f"{settings.path.name} says that {split} is at {quote(name)}, which is not there: it was not used."
                )
            else:
                self._members[split].update(dict.fromkeys(found))

    def _resolve(self, settings: Settings, name: str) -> list[str] | None:
        """Returns the pictures in a folder or list that the settings name; None if it does not exist.

        Exports often set `path` to a folder of the machine that wrote them, or name `../train/images` for a folder
        beside the settings. The name is therefore tried relative to `path`, to the settings and to the data set, and
        then without its leading folders.
        """
        base = settings.values.get("path")
        here = settings.path.parent.relative_to(self._files.root).as_posix()
        starts = [*([f"{here}/{base}", base] if isinstance(base, str) else []), here, ""]
        name = re.sub(r"/\*(\.\w+)?$", "", name)  # a pattern for all pictures of a folder
        parts = split_path(name)
        candidates = [split_path(f"{start}/{name}") for start in starts]
        candidates += [parts[start:] for start in range(1, len(parts)) if parts[start:] != ["images"]]
        for each in candidates:
            path = _fold("/".join(each))
            if path in self._lists:
                return self._read_list(self._files.root / self._lists[path])
            if path and path in self._folders:
                return self._folders[path]
        return list(self._files.images) if not parts else None

    def _read_list(self, path: Path) -> list[str]:
        """Returns the pictures that a list of files names."""
        if self._index is None:
            self._index = NameIndex(self._files.images)
        folder = path.parent.relative_to(self._files.root).as_posix()
        result: dict[str, None] = {}
        for line in filter(None, read_lines(path)):
            names = ["/".join(split_path(f"{folder}/{line}")), line]
            found = next((found for name in names if name in (found := self._index.find(name))), None)
            found = found or self._index.find(line)
            if len(found) != 1:
                problem = "is not there" if not found else f"fits {len(found)} pictures"
                self._report(BAD_PATH, f"{path} lists {quote(line)}, which {problem}: correct or remove the line.")
            elif found[0] in result:
                self._report(BAD_PATH, f"{path} lists {quote(line)} twice: remove the repeated lines.")
            else:
                result[found[0]] = None
        return list(result)


def find_lists(files: FolderFiles, labels: Collection[str]) -> list[Path]:
    """Returns the lists of pictures: those named after splits, as `train.txt`, and those that `obj.data` names."""
    texts = [name for name in files.others if name.lower().endswith(".txt") and name not in labels]
    named = {name for path in files.find(".data") for name in _read_data_file(path)}
    paths = [files.root / name for name in texts]
    return [path for path in paths if SPLIT_NAME.fullmatch(path.stem) or path.name in named]


def _read_data_file(path: Path) -> Iterator[str]:
    """Yields the names of the lists in Darknet's settings, such as `train = data/train.txt`, whatever their keys."""
    for line in read_text(path, MAX_DATA_BYTES).splitlines():
        key, _, value = line.partition("=")
        if key.strip() and value.strip().endswith(".txt"):
            yield value.strip().rpartition("/")[2]


def _fold(path: str) -> str:
    """Returns a path without regard to case and to how accents are encoded."""
    return unicodedata.normalize("NFC", path).lower()

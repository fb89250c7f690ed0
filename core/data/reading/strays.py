"""Finds matches with files of another kind, such as the mask of a picture that does not exist."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from core.data.reading.matching import Entry, list_usual_folders
from core.data.reading.picture_index import MAX_NAMESAKES, PictureIndex, get_base, get_folder


def find_strays(entries: Sequence[Entry], found: Sequence[str | None], index: PictureIndex) -> list[int]:
    """Returns the entries whose file lies in a folder that holds a second file of others' names, as masks do.

    A path that the annotations name is believed. Any other match is not if it lies outside the folders of such paths
    and other pictures have a second file there, or if more files there are such second ones than are matched.

    Args:
        entries: The names.
        found: Their files; None for those without.
        index: All files.
    """
    groups: dict[tuple[str, str | None], dict[int, str]] = defaultdict(dict)
    for number, (entry, path) in enumerate(zip(entries, found, strict=True)):
        if path is not None:
            groups[entry.folder, entry.split][number] = path
    taken = {path for path in found if path is not None}
    return sorted(number for group in groups.values() for number in _find_in_group(entries, group, taken, index))


def _find_in_group(entries: Sequence[Entry], group: dict[int, str], taken: set[str], index: PictureIndex) -> list[int]:
    """Returns the strays among entries of the same folder and split, given by number with their files."""
    guessed = {
        number: (get_folder(path), _get_suffix(path) == _get_suffix(entries[number].name))
        for number, path in group.items()
        if not _is_named(entries[number], path)
    }
    if not guessed:
        return []
    counts = Counter(guessed.values())
    homes = {get_folder(path) for number, path in group.items() if number not in guessed}
    homes = homes or {folder for folder, _ in counts}
    second: Counter[str] = Counter()
    for path in group.values():
        namesakes = index.by_stem.get(get_base(path).rpartition(".")[0], [])
        if len(namesakes) <= MAX_NAMESAKES:
            second.update(get_folder(other) for other in namesakes if other not in taken)
    return [
        number
        for number, (folder, same_suffix) in guessed.items()
        if second[folder] > (counts[folder, same_suffix] if folder in homes else 0)
    ]


def _is_named(entry: Entry, path: str) -> bool:
    """True if the annotations name the path itself, or its end with at least one folder."""
    name = entry.name
    return ("/" in name and path.endswith(f"/{name}")) or any(
        path == f"{folder}{name}" for folder in list_usual_folders(entry.folder)
    )


def _get_suffix(path: str) -> str:
    return get_base(path).rpartition(".")[2].lower()

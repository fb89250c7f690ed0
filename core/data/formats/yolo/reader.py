"""Finds and reads a data set in YOLO's format."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from core.data.annotations import BAD_PATH, ORPHAN_LABELS, Annotations, Format, ReportProblem, make_image
from core.data.files import FolderFiles
from core.data.formats.notes import Notes, number_classes
from core.data.formats.texts import read_head
from core.data.formats.values import parse_number, parse_whole_number
from core.data.formats.yolo.labels import LabelReader
from core.data.formats.yolo.lists import SplitReader
from core.data.formats.yolo.pairs import Pairs, get_stem, match_unread, pair_labels
from core.data.formats.yolo.settings import (
    Settings,
    find_class_files,
    find_settings,
    is_class_file,
    read_all_settings,
    read_class_names,
)
from core.data.left_out import UNREADABLE
from core.data.reading.pictures import UNREAD_SUFFIXES, describe_unread
from core.data.reading.split_words import SPLIT_NAME
from core.data.untrusted import DataError, join_inside, quote
from core.io.text import count_noun

SAMPLE = 20  # label files read to recognise the format
FIRST_LINES = 3  # of each of them: the first may be a header
OTHER_FORMATS = (".json", ".xml", ".csv", ".jsonl", ".manifest")


def find_yolo(files: FolderFiles) -> Sequence[Path]:
    """Returns the label files, and of a data set without any its settings, so that `read_yolo` can say so."""
    labels = _find_labels(files)
    known = [*find_settings(files), *find_class_files(files)]
    filled = 0
    for path in labels:
        if lines := _read_first_lines(path):
            filled += 1
            damaged = known and _is_in_labels(path.relative_to(files.root).as_posix())
            if any(_is_label_line(line) or (damaged and _resembles_label_line(line)) for line in lines):
                return labels
            if filled == SAMPLE:
                break
    if known and files.images and not filled and (labels or not files.find(*OTHER_FORMATS)):
        return labels or known
    return ()


def read_yolo(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the labels of all pictures in a folder; a picture without a label file has no objects.

    Raises:
        DataError: There are no class names or no label files, or what they say contradicts itself.
    """
    notes = Notes()
    settings = read_all_settings(files)
    classes = read_class_names(files, settings, notes)
    found = _pair(files)
    pairs = found.labels
    if not pairs:
        raise _no_pairs(files)
    _report_orphans(files, found, paths, report)
    _describe_pairs(found, notes)
    splits = SplitReader(files, report, notes).read(settings, set(pairs.values()))
    reader = LabelReader(len(classes.names), _read_keypoints(settings), report)
    images = []
    for name in _choose_images(files, pairs, notes):
        source = files.root / pairs[name] if name in pairs else classes.path
        if pairs.get(name) in files.links and not _is_inside(source, files.root, report):
            continue
        objects = reader.read(source) if name in pairs else []
        images.append(make_image(name, source, objects, split=splits.get(name), relative=True))
    reader.require_polygons()
    if reader.polygon_count:
        notes.add(f"Polygons read as their boxes: {reader.polygon_count:,}.")
    if reader.negative_count:
        notes.add(f"Boxes with a negative width or height, read without the sign: {reader.negative_count:,}.")
    return Annotations(classes.names, number_classes(classes.names), images, notes.sentences())


def _no_pairs(files: FolderFiles) -> DataError:
    """Returns the error for a data set without a picture that has a label file."""
    unread = next(iter(_match_unread(files, ()).values()), None)
    if not files.images:
        what = f", only {describe_unread(unread)}" if unread else ": add the pictures of its label files."
        return DataError(f"{files.root} has no picture in a known format{what}")
    remedy = ": put the label files into labels/, or beside the pictures."
    what = f", only for {describe_unread(unread)}" if unread else remedy
    return DataError(f"{files.root} has no YOLO label file for any of its {len(files.images)} pictures{what}")


def _describe_pairs(pairs: Pairs, notes: Notes) -> None:
    """Notes which label files were not used, and whether names were matched without a prefix."""
    for folder, count in Counter(name.rpartition("/")[0] for name in pairs.copies).items():
        where = f"{folder}/" if folder else "the folder itself"
        notes.add(f"Label files in {where} that were not used, as their pictures have others: {count:,}.")
    prefixed = sum(f"-{get_stem(image)}" in get_stem(label) for image, label in pairs.labels.items())
    if prefixed:
        notes.add(f"Label files matched without the prefix of Label Studio: {prefixed:,}.")


def _choose_images(files: FolderFiles, pairs: dict[str, str], notes: Notes) -> list[str]:
    """Returns the pictures of folders with label files; others are not known to have no objects."""
    labelled = {name.rpartition("/")[0] for name in pairs}
    missing = Counter(name.rpartition("/")[0] for name in files.images if name not in pairs)
    for folder, count in missing.items():
        where, one = folder or "The data set's own folder", count == 1
        if folder in labelled:
            said = "has no label file and counts" if one else "have no label file and count"
            notes.add(f"{where}: {count_noun(count, 'picture')} {said} as having no objects.")
        else:
            said = f"{'was' if one else 'were'} left out, because no picture there has a label file"
            notes.add(f"{where}: {count_noun(count, 'picture')} {said}.")
    return [name for name in files.images if name.rpartition("/")[0] in labelled]


def _is_inside(path: Path, root: Path, report: ReportProblem) -> bool:
    """Checks that a label file that is a link does not lead out of the data set; reports it if it does."""
    try:
        join_inside(root, path.relative_to(root).as_posix(), root=root.resolve(), source=path.parent)
    except DataError as error:
        report(BAD_PATH, str(error))
        return False
    return True


def _texts(files: FolderFiles) -> list[str]:
    return [name for name in files.others if name.lower().endswith(".txt") and not is_class_file(name.rsplit("/")[-1])]


def _pair(files: FolderFiles) -> Pairs:
    return pair_labels(files.images, _texts(files))


def _match_unread(files: FolderFiles, used: Iterable[str]) -> dict[str, str]:
    """Returns the label files, but for those that are used, of pictures in formats that are not read."""
    pictures = [name for name in files.others if name.lower().endswith(UNREAD_SUFFIXES)]
    known = set(used)
    texts = [name for name in _texts(files) if name not in known]
    found = match_unread(pictures, texts)
    return {  # other texts beside pictures may be anything
        name: picture
        for name, picture in found.items()
        if _is_in_labels(name) or any(map(_is_label_line, _read_first_lines(files.root / name)))
    }


def _find_labels(files: FolderFiles) -> list[Path]:
    """Returns the text files that belong to pictures, and those in a folder `labels`."""
    try:
        pairs = _pair(files)
        paired, copies = {*pairs.labels.values(), *_match_unread(files, pairs.labels.values())}, set(pairs.copies)
    except DataError:  # `read_yolo` says which pictures have several label files
        stems = {PurePosixPath(name).stem.lower() for name in files.images}
        paired, copies = {name for name in _texts(files) if PurePosixPath(name).stem.lower() in stems}, set()
    names = (name for name in _texts(files) if name not in copies)
    return [files.root / name for name in names if name in paired or _is_in_labels(name)]


def _read_first_lines(path: Path) -> list[str]:
    """Returns the first lines of a text that are not empty."""
    return [line for line in read_head(path, 2000).lstrip("\ufeff").splitlines() if line.strip()][:FIRST_LINES]


def _is_in_labels(name: str) -> bool:
    return "labels" in name.lower().split("/")[:-1]


def _is_label_line(line: str) -> bool:
    words = line.split()
    label = parse_whole_number(words[0])
    return len(words) >= 5 and label is not None and all(parse_number(word) is not None for word in words[1:])


def _resembles_label_line(line: str) -> bool:
    """True for a line that `LabelReader` reports, but that can only be a YOLO label: with commas, or a class name."""
    for text in (line.replace(",", " ").replace(";", " "), line.replace(",", ".")):
        numbers = [parse_number(word) for word in text.split()[1:]]
        if len(numbers) >= 4 and all(number is not None and 0 <= number <= 1 for number in numbers):
            return True
    return False


def _report_orphans(files: FolderFiles, pairs: Pairs, paths: Sequence[Path], report: ReportProblem) -> None:
    """Reports label files without a picture, or with one in a format that is not read."""
    names = {*pairs.labels.values(), *pairs.copies}
    used = {files.root / name for name in names}
    unread = {files.root / name: picture for name, picture in _match_unread(files, names).items()}
    for path in paths:
        if path in unread:
            report(UNREADABLE, f"{path} belongs to {describe_unread(unread[path])}")
        elif path not in used and path.suffix.lower() == ".txt" and not SPLIT_NAME.fullmatch(path.stem):
            report(ORPHAN_LABELS, f"{path} has no picture: add the picture or remove the labels.")


def _read_keypoints(settings: Sequence[Settings]) -> int | None:
    """Returns the number of numbers in the key points of a pose; None if the settings declare no poses.

    Raises:
        DataError: The settings disagree, or give no two numbers.
    """
    counts = set()
    for each in settings:
        shape = each.values.get("kpt_shape")
        if shape is not None:
            sides = [parse_whole_number(side) for side in shape] if isinstance(shape, list) else []
            if len(sides) != 2 or not all(side and 0 < side < 1000 for side in sides):
                raise DataError(f"{each.path} gives the kpt_shape {quote(shape)}: give two numbers, as [17, 3].")
            counts.add((sides[0] or 0) * (sides[1] or 0))
    if len(counts) > 1:
        raise DataError(f"The YAML files of {settings[0].path.parent} give different kpt_shape: keep one of them.")
    return counts.pop() if counts else None


YOLO = Format("yolo", "YOLO", "label files", find_yolo, read_yolo)

"""Reads KITTI's format: a text file for each picture, with a class and fourteen numbers on each line."""

from collections.abc import Sequence
from pathlib import Path

from core.data.annotations import BAD_OBJECT, Annotations, Format, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.building import Picture, add_object, build_annotations, read_each
from core.data.formats.notes import Notes
from core.data.formats.outlines import read_numbers
from core.data.formats.texts import read_head, read_lines
from core.data.formats.yolo.pairs import Pairs, pair_labels
from core.data.untrusted import DataError

MAX_LABEL_BYTES = 4 * 2**20
SAMPLE = 20  # label files read to recognise the format
COUNTS = (15, 16)  # of words on a line: detections have a score
UNLABELLED = "dontcare"  # the class of regions where objects are not annotated


def find_kitti(files: FolderFiles) -> Sequence[Path]:
    """Returns the label files that belong to pictures, if one of the first has a line of this format."""
    try:
        paths = [files.root / name for name in _pair(files).labels.values()]
    except DataError:
        return ()
    for path in paths[:SAMPLE]:
        lines = read_head(path, 2000).splitlines()
        if lines and _read_line(lines[0]):
            return paths
    return ()


def read_kitti(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the labels of all pictures that have a label file.

    Raises:
        DataError: There is no object, or it cannot be told which label file belongs to a picture.
    """
    notes = Notes()
    pictures = []
    names = {files.root / label_file: name for name, label_file in _pair(files).labels.items()}
    for path, lines in read_each(names, lambda path: read_lines(path, MAX_LABEL_BYTES), report):
        picture = Picture(names[path], path)
        for number, line in enumerate(lines, start=1):
            if line:
                _add_line(picture, line, f"{path} line {number}", report, notes)
        pictures.append(picture)
    if missing := len(files.images) - len(pictures):
        notes.add(f"Pictures without a label file, which were left out: {missing:,}.")
    return build_annotations(pictures, notes, root=files.root, report=report)


def _pair(files: FolderFiles) -> Pairs:
    texts = [name for name in files.others if name.lower().endswith(".txt") and name not in files.links]
    return pair_labels(files.images, texts)


def _read_line(line: str) -> tuple[str, list[float]] | None:
    """Returns the class and the numbers of a line; None if it is of another format."""
    words = line.removeprefix("\ufeff").split()
    numbers = read_numbers(words[1:]) if len(words) in COUNTS else None
    return (words[0], numbers) if numbers and read_numbers(words[:1]) is None else None


def _add_line(picture: Picture, line: str, where: str, report: ReportProblem, notes: Notes) -> None:
    values = _read_line(line)
    if values is None:
        report(BAD_OBJECT, f"{where} is not a class with 14 numbers: correct or remove it.")
        return
    name, numbers = values
    if name.lower() == UNLABELLED:
        notes.count("DontCare regions, which were left out", picture.source)
    else:
        add_object(picture, name, (numbers[3], numbers[4], numbers[5], numbers[6]), where, report)


KITTI = Format("kitti", "KITTI", "label files", find_kitti, read_kitti)

"""The commands for a data set: `check`, `unpack` and `split`."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.dataset_check import DataCheck, check_folder
from core.analysis.issues import Issue
from core.cli.common import follow, print_left_out, progress_bar, settings_for_analysis
from core.config import Config
from core.data.folders import read_data_set, require_format, split_folder
from core.data.raw import RawData
from core.data.reading.plausibility import LOST_BOXES, LOST_PICTURES
from core.data.untrusted import DataError
from core.data.zips.importing import import_zip
from core.io.text import count_noun

MAX_EXAMPLES = 3  # printed for each issue


def check(config: Config, options: Namespace) -> dict[str, Any]:
    """Checks a data set and prints the issues found."""
    folder = Path(options.data)
    require_format(folder, options.format)
    found = _check_with_progress(folder, config, options.format)
    print(format_check(found))
    _require_perfect(found, options, str(folder))
    return found.to_dict()


def _require_perfect(found: DataCheck, options: Namespace, name: str) -> None:
    """Raises `DataError` with `options.strict` if anything would be left out."""
    if options.strict and (text := found.left_out.describe(LOST_PICTURES + LOST_BOXES)):
        raise DataError(f"{name} is refused because of --strict. {text}")


def unpack(config: Config, options: Namespace) -> dict[str, Any]:
    """Unpacks a data set from a zip into a new folder if it is usable, and prints the issues found.

    A data set without a validation split is accepted: `split` creates one.

    Raises:
        DataError: The zip cannot be unpacked, or the data set has issues that prevent training.
    """

    def accept(folder: Path) -> DataCheck:
        found = _check_with_progress(folder, config, options.format)
        print(format_check(found))
        _require_perfect(found, options, str(options.archive))
        if message := found.describe_blocking(f"{options.archive} is not imported"):
            raise DataError(message)
        return found

    return {
        "folder": str(options.out),
        **import_zip(options.archive, options.out, accept, format=options.format).to_dict(),
    }


def split(config: Config, options: Namespace) -> dict[str, Any]:
    """Writes new splits to a file of the data set, or removes that file to return to its own; prints the counts."""
    folder = Path(options.data)
    if options.strict:
        read_data_set(folder, options.format, strict=True)
    split_folder(folder, options.by, options.shares, config.training.seed, format=options.format)
    contents = read_data_set(folder, options.format)
    print(contents.reading)
    print_left_out(contents.left_out)
    return {"by": options.by, "splits": {name: _print_counts(name, raw) for name, raw in contents.splits.items()}}


def _check_with_progress(folder: Path, config: Config, format: str | None) -> DataCheck:
    with progress_bar(total=0, show=True, unit="picture") as bar:
        return check_folder(folder, settings_for_analysis(config)[0], follow(bar), format=format)


def _print_counts(name: str, raw: RawData) -> dict[str, Any]:
    """Prints and returns the number of pictures in a split and the objects by class."""
    counts = np.zeros(len(raw.class_names), dtype=np.int64)
    for picture in raw.images:
        counts += np.bincount(picture.labels[~picture.crowd], minlength=len(counts))
    objects = dict(zip(raw.class_names, counts.tolist(), strict=True))
    print(
        f"{name:6} {count_noun(len(raw.images), 'picture'):>15}   "
        + ", ".join(f"{key} {value}" for key, value in objects.items())
    )
    return {"pictures": len(raw.images), "objects": objects}


def format_check(check: DataCheck) -> str:
    """Formats the result of a check: the splits, the classes with their sizes, and the issues with their remedies."""
    lines = [check.reading or "no data set", count_noun(len(check.class_names), "class", "classes")]
    lines += _format_splits(check)
    if check.class_names:
        lines += ["", *_format_classes(check)]
    for issue in check.issues:
        lines += ["", *_format_issue(issue)]
    lines += ["", "It can be trained on." if check.is_usable else "It cannot be trained on yet."]
    return "\n".join(lines)


def _format_splits(check: DataCheck) -> list[str]:
    return [
        f"{name:6} {count_noun(split.pictures, 'picture'):>15}, {split.empty:,} of them empty; "
        f"{count_noun(sum(split.objects.values()), 'object')}, {count_noun(split.crowds, 'crowd')}"
        for name, split in check.splits.items()
    ]


def _format_classes(check: DataCheck) -> list[str]:
    splits = "".join(f"{name:>9}" for name in check.splits)
    lines = [f"{'class':20}{splits}{'side 5–50–95%, px':>22}{'best IoU':>10}{'no anchor':>11}"]
    for name in check.class_names:
        row = f"{name[:19]:20}" + "".join(f"{split.objects[name]:9}" for split in check.splits.values())
        if name in check.sizes:
            sizes = check.sizes[name]
            row += f"{'–'.join(f'{side:.0f}' for side in sizes.side):>22}{sizes.best_iou:10.2f}{sizes.unmatched:11}"
        lines.append(row)
    return lines


def _format_issue(issue: Issue) -> list[str]:
    lines = [f"{'STOPS TRAINING' if issue.stops else 'note'}: {issue.count} {issue.what}: {issue.remedy}."]
    lines += [f"    {example}" for example in issue.examples[:MAX_EXAMPLES]]
    if issue.count > MAX_EXAMPLES:
        lines.append(f"    … and {issue.count - MAX_EXAMPLES} more")
    return lines

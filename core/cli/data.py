"""What the command line does with one's own data: look through it, unpack it, split it; functions as in `commands`."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from core.analysis.dataset_check import DataCheck, check_folder
from core.config import Config
from core.data.folders import find_splits, read_folder, require_format, split_folder
from core.data.untrusted import DataError
from core.data.zip_import import import_zip
from core.weights.sources import adopt, weights_for

SHOWN = 3  # examples of an issue


def check(config: Config, options: Namespace) -> dict[str, Any]:
    """Looks through a data set and prints what is wrong with it."""
    folder = Path(options.data)
    require_format(folder)
    found = _checked(folder, config)
    print(check_text(found))
    return found.to_dict()


def unpack(config: Config, options: Namespace) -> dict[str, Any]:
    """Unpacks a zip with a data set into a new folder, unless it cannot be used; prints what is wrong.

    One without pictures for validation is taken: `split` makes them.
    """

    def accept(folder: Path) -> DataCheck:
        found = _checked(folder, config)
        print(check_text(found))
        if found.blocking_issues:
            stops = ", ".join(f"{issue.count} {issue.what}" for issue in found.blocking_issues)
            raise DataError(f"{options.archive} is not imported because of {stops}: correct that and try again.")
        return found

    return {"folder": str(options.out), **import_zip(options.archive, options.out, accept).to_dict()}


def split(config: Config, options: Namespace) -> dict[str, Any]:
    """Splits a data set anew into a file beside its annotations, or goes back to its own splits; prints the counts."""
    folder = Path(options.data)
    split_folder(folder, options.by, options.shares, config.training.seed)
    return {"by": options.by, "splits": {name: _counted(folder, name) for name in find_splits(folder)}}


def _checked(folder: Path, config: Config) -> DataCheck:
    with tqdm(unit="picture", disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return check_folder(folder, adopt(config, weights_for(config)), progress)


def _counted(folder: Path, name: str) -> dict[str, Any]:
    """Prints and returns the pictures of a split and its objects by class."""
    raw = read_folder(folder, name)
    labels = [item.label for picture in raw.images for item in picture.objects if not item.crowd]
    objects = dict(zip(raw.class_names, np.bincount(labels, minlength=len(raw.class_names)).tolist(), strict=True))
    print(f"{name:6} {len(raw.images):6} pictures   " + ", ".join(f"{key} {value}" for key, value in objects.items()))
    return {"pictures": len(raw.images), "objects": objects}


def check_text(check: DataCheck) -> str:
    """Returns the splits, the classes with their sizes, and what is wrong with what to do about it."""
    lines = [f"{check.format or 'no'} data set, {len(check.class_names)} classes"]
    for name, split in check.splits.items():
        count = sum(split.objects.values())
        lines.append(f"{name:6} {split.pictures:6} pictures, {split.empty} of them empty; {count} objects, "
                     f"{split.crowds} crowds")  # fmt: skip
    if check.class_names:
        splits = "".join(f"{name:>9}" for name in check.splits)
        lines += ["", f"{'class':20}{splits}{'side 5–50–95%, px':>22}{'best IoU':>10}{'no anchor':>11}"]
    for name in check.class_names:
        counts = "".join(f"{split.objects[name]:9}" for split in check.splits.values())
        row = f"{name[:19]:20}{counts}"
        if name in check.sizes:
            sizes = check.sizes[name]
            row += f"{'–'.join(f'{side:.0f}' for side in sizes.side):>22}{sizes.best_iou:10.2f}{sizes.unmatched:11}"
        lines.append(row)
    for issue in check.issues:
        mark = "STOPS TRAINING" if issue.stops else "note"
        lines += ["", f"{mark}: {issue.count} {issue.what}: {issue.remedy}."]
        lines += [f"    {example}" for example in issue.examples[:SHOWN]]
        if issue.count > SHOWN:
            lines.append(f"    … and {issue.count - SHOWN} more")
    lines += ["", "It can be trained on." if check.is_usable else "It cannot be trained on yet."]
    return "\n".join(lines)

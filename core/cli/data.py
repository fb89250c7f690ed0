"""What the command line does with one's own data: look through it, unpack it, split it; functions as in `commands`."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from core.analysis.dataset_check import DataCheck, check_folder
from core.cli.data_check_text import check_text
from core.config import Config
from core.data.folder_splits import split_folder
from core.data.folders import read_folder, require_format, splits_of
from core.data.untrusted import DataError
from core.data.zip_import import import_zip
from core.weights.sources import adopt, weights_for


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
        if found.hindrances:
            stops = ", ".join(f"{issue.count} {issue.what}" for issue in found.hindrances)
            raise DataError(f"{options.archive} is not imported because of {stops}: correct that and try again.")
        return found

    return {"folder": str(options.out), **import_zip(options.archive, options.out, accept).to_dict()}


def split(config: Config, options: Namespace) -> dict[str, Any]:
    """Splits a data set anew into a file beside its annotations, or goes back to its own splits; prints the counts."""
    folder = Path(options.data)
    split_folder(folder, options.by, options.shares, config.training.seed)
    return {"by": options.by, "splits": {name: _counted(folder, name) for name in splits_of(folder)}}


def _checked(folder: Path, config: Config) -> DataCheck:
    with tqdm(unit="picture", disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return check_folder(folder, adopt(config, weights_for(config)), progress)


def _counted(folder: Path, name: str) -> dict[str, Any]:
    """Prints and returns the pictures of a split and its objects by class."""
    raw = read_folder(folder, name)
    labels = [item.label for picture in raw.pictures for item in picture.objects if not item.crowd]
    objects = dict(zip(raw.class_names, np.bincount(labels, minlength=len(raw.class_names)).tolist(), strict=True))
    print(f"{name:6} {len(raw.pictures):6} pictures   " + ", ".join(f"{key} {value}" for key, value in objects.items()))
    return {"pictures": len(raw.pictures), "objects": objects}

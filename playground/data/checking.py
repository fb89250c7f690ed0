"""Checking a data set before it is stored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.analysis.dataset_check import DataCheck, check_folder
from core.config import Config
from core.data.untrusted import DataError

MAX_EXAMPLES = 200  # examples of an issue to store
Progress = Callable[[int, int], None]  # gets the number of pictures checked and their total


class RefusedError(DataError):
    """A data set cannot be used for training.

    Attributes:
        check: All issues that were found.
    """

    def __init__(self, message: str, check: DataCheck) -> None:
        super().__init__(message)
        self.check = check


def check_stored(
    folder: Path,
    config: Config,
    progress: Progress = lambda done, total: None,
    *,
    format: str | None,
) -> DataCheck:
    """Checks a data set as `check_folder` does, with at most `MAX_EXAMPLES` examples of an issue."""
    check = check_folder(folder, config, progress, format=format)
    return check._replace(issues=tuple(replace(each, examples=each.examples[:MAX_EXAMPLES]) for each in check.issues))


def require_trainable(folder: Path, config: Config, progress: Progress, title: str, format: str | None) -> DataCheck:
    """Checks a data set as `check_stored` does; raises `RefusedError` if an issue prevents training."""
    check = check_stored(folder, config, progress, format=format)
    if message := check.describe_blocking(f"{title} cannot be used"):
        raise RefusedError(message, check)
    return check

"""The splits that data sets had before they were split on the page, for undo."""

from pathlib import Path

from core.data.splits import SPLITS_FILE
from core.io.atomic import write_text


class SplitHistory:
    """The lists that replaced the splits of annotations, by data set; kept until the server ends."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}  # the last one last; None where there were no lists

    def names(self) -> list[str]:
        """Returns the data sets whose splits can be restored, the latest first."""
        return list(reversed(self._before))

    def keep(self, name: str, lists: str | None) -> None:
        """Keeps the lists of a data set before it was split."""
        self.drop(name)
        self._before[name] = lists

    def drop(self, name: str) -> None:
        """Forgets the lists of a data set."""
        self._before.pop(name, None)

    def restore(self, name: str, folder: Path) -> None:
        """Restores the splits of a data set in a folder as they were before."""
        lists = self._before.pop(name)
        if lists is None:
            (folder / SPLITS_FILE).unlink(missing_ok=True)
        else:
            write_text(folder / SPLITS_FILE, lists)


def read_lists(folder: Path) -> str | None:
    """Returns the lists that replace the splits of a data set's annotations; None if there are none."""
    path = folder / SPLITS_FILE
    return path.read_text("utf-8") if path.is_file() else None

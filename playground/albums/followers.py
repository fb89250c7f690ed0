"""Runs and evaluations made from albums, which are deleted and restored with them."""

from pathlib import Path
from typing import Protocol

UNDO_SECONDS = 3600  # for which what was deleted can be restored
MOST_DELETED = 10_000  # albums, runs or evaluations that can be restored
DELETED = ".deleted"  # folder of what can be restored, inside the folder it was deleted from


class Followers(Protocol):
    """The runs or the evaluations of the page."""

    def hide(self, album: Path) -> None:
        """Stops the runs or evaluations in progress on an album, and moves all of them into its trash.

        Raises:
            AlbumError: It cannot be stopped now.
        """

    def restore(self, album: Path) -> None:
        """Moves the runs or evaluations of an album back from the trash."""

    def forget(self, album: Path) -> None:
        """Erases, or moves into the trash, what `hide` left of a deleted album; it can be called again."""

    def clean(self) -> None:
        """Erases everything that has been in the trash for more than `UNDO_SECONDS`."""

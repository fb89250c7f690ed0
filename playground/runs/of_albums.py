"""The runs on albums, which are deleted and restored with them."""

import time
from contextlib import suppress
from pathlib import Path

from core.errors import UserError
from core.runs.folder import RunFolder
from core.scheduler.queue import Queue
from playground.albums.album import AlbumError
from playground.albums.followers import DELETED, MOST_DELETED, UNDO_SECONDS
from playground.runs.listing import list_all
from playground.runs.privacy import find_albums, find_runs
from playground.runs.progress import ACTIVE
from playground.runs.service import Runs
from playground.support.trash import Trash

STOP_SECONDS, PAUSE = 60, 0.1  # a run ends after its current step


class AlbumRuns:
    """The runs of the page that were trained on albums, or whose initial weights were.

    Args:
        runs: All runs.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def hide(self, album: Path) -> None:
        """Stops the runs on an album and moves them into the trash.

        Raises:
            AlbumError: A run does not stop.
        """
        if not self._runs.root.is_dir():  # there has never been a run
            return
        self._stop(album)
        with Queue(self._runs.root).lock():  # no run starts in the meantime
            names = self._find(album)
            if any(active for _, active in names):
                raise AlbumError("A run on your pictures has just started: try again.")
            for name, _ in names:
                self._trash().put([name], album.name)

    def forget(self, album: Path) -> None:
        """Erases the runs on an album that were deleted before."""
        ordinary = Trash(self._runs.root)
        for each in ordinary.entries():
            if _is_on(ordinary.path(each.key), album):
                ordinary.remove(each.key)

    def restore(self, album: Path) -> None:
        """Moves the runs on an album back."""
        for each in self._trash().entries():
            if each.title == album.name:
                with suppress(UserError):  # another process has been faster
                    self._trash().put_back(each.key)

    def clean(self) -> None:
        """Erases runs that can no longer be restored."""
        self._trash().entries()

    def _stop(self, album: Path) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while active := [name for name, active in self._find(album) if active]:
            for name in active:
                if self._runs.has(name):
                    self._runs.stop(name)
            if time.monotonic() > deadline:
                raise AlbumError("A run on your pictures is still being stopped: try again in a minute.")
            time.sleep(PAUSE)

    def _find(self, album: Path) -> list[tuple[str, bool]]:
        """Returns the name of each run on an album, and whether it is active."""
        return [(each.name, each.state in ACTIVE) for each in list_all(self._runs) if _is_on(each.folder.path, album)]

    def _trash(self) -> Trash:
        return Trash(self._runs.root, MOST_DELETED, seconds=UNDO_SECONDS, folder=DELETED)


def is_trained_on(weights: str, album: Path) -> bool:
    """True for weights of a run that was trained on an album, or whose initial weights were."""
    return any(_is_on(each.path, album) for each in find_runs(Path(weights)))


def _is_on(run: Path, album: Path) -> bool:
    return any(each.is_relative_to(album) for each in find_albums(RunFolder(run)))

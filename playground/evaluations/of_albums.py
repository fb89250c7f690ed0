"""The evaluations of albums, and of weights that were trained on them, which are deleted and restored with them."""

from collections.abc import Callable
from pathlib import Path

from playground.evaluations.jobs import Evaluations
from playground.evaluations.store import Origin


class AlbumEvaluations:
    """The evaluations of the page that were made from albums.

    Args:
        evaluations: All evaluations.
        is_trained_on: Returns True for weights that were trained on an album: gets their name, and its folder.
    """

    def __init__(self, evaluations: Evaluations, is_trained_on: Callable[[str, Path], bool]) -> None:
        self._evaluations, self._is_trained_on = evaluations, is_trained_on

    def hide(self, album: Path) -> None:
        """Stops the evaluations of an album and moves those that are stored into the trash."""

        def is_of(origin: Origin) -> bool:
            return origin.source == album.name or self._is_trained_on(origin.weights, album)

        self._evaluations.hide(album.name, is_of)

    def restore(self, album: Path) -> None:
        """Moves the evaluations of an album back."""
        self._evaluations.restore(album.name)

    def forget(self, album: Path) -> None:
        """Moves evaluations into the trash that another process has completed since."""
        self.hide(album)

    def clean(self) -> None:
        """Erases evaluations that can no longer be restored."""
        self._evaluations.clean()

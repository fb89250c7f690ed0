"""What a visitor's runs may take of the server."""

from collections.abc import Iterable

from core.runs.folder import QUEUED, RunError, RunFolder, RunStatus
from playground.runs.reader import read_about
from playground.sharing.shares import Share
from playground.support.sizes import measure_folder

WHERE = "delete some in the table of runs first"


def require_share(share: Share, owner: str, wanted: int, runs: Iterable[tuple[RunFolder, RunStatus]]) -> None:
    """Refuses runs that are more than a visitor's share.

    Args:
        share: What a visitor may have.
        owner: The visitor who wants to start runs.
        wanted: The number of them.
        runs: The runs that there are, with their status.

    Raises:
        RunError: They are too many, wait in too many places, or take too much of the disk.
    """
    own = [(folder, status) for folder, status in runs if read_about(folder).owner == owner]
    require_places(share, wanted, sum(status.state == QUEUED for _, status in own))
    if len(own) + wanted > share.runs:
        raise RunError(f"A visitor can keep {share.runs} runs on this server, and you have {len(own)}: {WHERE}.")
    if sum(measure_folder(folder.path) for folder, _ in own) > share.run_bytes:
        raise RunError(f"Your runs take {share.run_bytes / 2**30:g} GB on this server, as much as they may: {WHERE}.")


def require_places(share: Share, wanted: int, waiting: int) -> None:
    """Raises `RunError` if so many more runs are too many for a visitor of whom so many wait already."""
    if waiting + wanted > share.places:
        raise RunError(
            f"A visitor can have {share.places} runs in the queue, and {waiting} of yours wait: stop some, or wait "
            "until they have started."
        )

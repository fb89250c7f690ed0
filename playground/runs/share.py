"""What a visitor's runs may take of the server."""

from collections.abc import Iterable, Sequence

from core.runs.folder import QUEUED, RunError, RunFolder, RunStatus
from playground.runs.reader import read_about
from playground.sharing.shares import Share
from playground.support.sizes import measure_folder
from playground.support.visitors import VISITORS

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
    owned = [(read_about(folder).owner, folder, status) for folder, status in runs]
    own = [folder for theirs, folder, _ in owned if theirs == owner]
    require_places(share, owner, wanted, [theirs for theirs, _, status in owned if status.state == QUEUED])
    if len(own) + wanted > share.runs:
        raise RunError(f"A visitor can keep {share.runs} runs on this server, and you have {len(own)}: {WHERE}.")
    if sum(measure_folder(folder.path) for folder in own) > share.run_bytes:
        raise RunError(f"Your runs take {share.run_bytes / 2**30:g} GB on this server, as much as they may: {WHERE}.")


def require_short(share: Share, gflops: float) -> None:
    """Raises `RunError` if a run of so many operations, in billions, takes longer than a visitor's may."""
    if gflops > share.run_gflops:
        raise RunError(
            f"The run would take about {gflops:,.0f} GFLOP, and one of a visitor's may take {share.run_gflops:,} on "
            "this server: lower “Steps”, “Batch size” or “Shorter side”, or choose fewer “Evaluation images”."
        )


def require_places(share: Share, owner: str, wanted: int, waiting: Sequence[str]) -> None:
    """Refuses more runs in the queue than a visitor, or those at an address, may have.

    Args:
        share: What a visitor may have.
        owner: The visitor.
        wanted: The number of further runs.
        waiting: The owners of those in the queue.

    Raises:
        RunError: They are too many.
    """
    own = waiting.count(owner)
    if own + wanted > share.places:
        raise RunError(
            f"A visitor can have {share.places} runs in the queue, and {own} of yours wait: stop some, or wait until "
            "they have started."
        )
    if sum(VISITORS.are_near(each, owner) for each in waiting) + wanted > share.places_near:
        raise RunError("Many runs of visitors at your address are waiting already: wait until some have started.")

"""What one visitor may have of the server, where visitors are kept apart; else all are one visitor with the whole.

Cookies can be invented, addresses cannot: of the places that all share, those at one address cannot have all. Visitors
without a cookie cannot be told apart: together they are one visitor, too.
"""

from typing import NamedTuple

from playground.support.visitors import VISITORS


class Share(NamedTuple):
    """What one visitor may have.

    Attributes:
        runs: Number of runs that are kept.
        run_bytes: Bytes that they take on the disk.
        places: Runs in the queue.
        data_sets: Number of data sets.
        data_bytes: Bytes that the uploaded ones take.
        evaluations: Evaluations that wait or run.
        places_near: Runs in the queue of all visitors at an address.
        evaluations_near: Evaluations that wait or run of all visitors at an address.
        evaluation_gflops: Operations of the network in one evaluation, in billions: some 20 minutes on two cores.
        run_gflops: Operations of the network in one run, in billions: some 4 hours on two cores.
        stored_evaluations: Evaluations that are kept.
        uploads: Data sets that are being brought at a time.
    """

    runs: int = 40
    run_bytes: int = 8 * 2**30
    places: int = 12
    data_sets: int = 4
    data_bytes: int = 4 * 2**30
    evaluations: int = 2
    places_near: int = 60
    evaluations_near: int = 3
    evaluation_gflops: int = 150_000
    run_gflops: int = 2_000_000
    stored_evaluations: int = 25
    uploads: int = 1


SHARE = Share()


def find_share() -> Share | None:
    """Returns what one visitor may have, None for the whole: visitors are not kept apart."""
    return SHARE if VISITORS.apart else None

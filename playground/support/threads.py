"""How many threads PyTorch uses for what.

What an answer computes beside the network is many small steps. A second thread gains nothing there, and where a
training run wants the same processor each step waits until that thread gets its turn.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

ALL = torch.get_num_threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """Has this thread, which does nothing else of the kind, compute alone."""
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(ALL)  # not what it was: threads begin with what another has set last


@contextmanager
def all_threads() -> Iterator[None]:
    """Has this thread compute with all others that there are, also inside `one_thread`."""
    before = torch.get_num_threads()
    torch.set_num_threads(ALL)
    try:
        yield
    finally:
        torch.set_num_threads(before)

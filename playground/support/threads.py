"""How many threads PyTorch uses.

Apart from the network itself, an answer of the page consists of many small operations. A second thread does not speed
them up; while a training run competes for the processor, it slows them down, since every operation waits for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

ALL = torch.get_num_threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """Makes PyTorch compute with a single thread in this thread; for many small operations."""
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(ALL)  # not the previous value: a new thread starts with whatever was set last


@contextmanager
def all_threads() -> Iterator[None]:
    """Makes PyTorch compute with all threads, even inside `one_thread`; for the network."""
    before = torch.get_num_threads()
    torch.set_num_threads(ALL)
    try:
        yield
    finally:
        torch.set_num_threads(before)

import threading

import pytest
import torch

from playground.support import threads
from playground.support.threads import all_threads, one_thread

ALL = 2


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    """As on a machine with two processors; the test processes themselves use one thread each."""
    monkeypatch.setattr(threads, "ALL", ALL)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_small_operations_use_one_thread_and_the_network_all():
    with one_thread():
        assert torch.get_num_threads() == 1
        with all_threads():
            assert torch.get_num_threads() == ALL
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == ALL


def test_a_thread_started_inside_one_thread_gets_all_threads_back():
    counts = []

    def work() -> None:
        with one_thread():
            pass
        counts.append(torch.get_num_threads())

    with one_thread():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert counts == [ALL]

import threading

import torch

from playground.support.threads import ALL, all_threads, one_thread


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

import threading

import torch

from playground.support.threads import ALL, all_threads, one_thread


def test_many_small_steps_run_alone_and_the_network_with_all_threads():
    with one_thread():
        assert torch.get_num_threads() == 1
        with all_threads():
            assert torch.get_num_threads() == ALL
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == ALL


def test_a_thread_that_began_meanwhile_has_all_after_its_own_turn():
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

import gc

from core.data.reading.collection import pause_collection


def test_the_collector_runs_again_after_the_last_of_several_pauses():
    one, other = pause_collection(), pause_collection()
    assert gc.isenabled()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert not gc.isenabled()
    other.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    gc.disable()
    try:
        with pause_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()

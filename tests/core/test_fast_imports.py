"""The garbage collector is off during imports alone."""

import gc

import pytest

from core.fast_imports import without_garbage_collection


def test_the_collector_is_as_it_was_afterwards():
    assert gc.isenabled()
    with without_garbage_collection():
        assert not gc.isenabled()
        with without_garbage_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), without_garbage_collection():
        raise ImportError
    assert gc.isenabled()

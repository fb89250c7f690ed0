"""Pickled files, which are not trusted."""

import io
import pickle
import struct

import numpy as np
import pytest
import torch

from core.weights import pickled
from core.weights.architecture import WeightsError
from core.weights.pickled import MAX_PICKLE, UNREAD, Unread, unpickle
from tests.effort import little_effort

MANY = {"numbers": list(range(10_000))}  # more than LIMIT bytes, and no tensor
LIMIT = 20_000


def save(path, content, *, archive):
    torch.save(content, path, _use_new_zipfile_serialization=archive)
    return path


@pytest.fixture
def limit(monkeypatch):
    """A low limit of what a file holds beside its tensors."""
    monkeypatch.setattr(pickled, "MAX_PICKLE", LIMIT)


@pytest.mark.parametrize("archive", [True, False])
def test_tensors_do_not_count_as_structure(archive, limit, tmp_path):
    content = {"a": torch.arange(100_000), "b": torch.arange(7.0).requires_grad_()}
    found = unpickle(save(tmp_path / "a.pth", content, archive=archive), max_bytes=10**6)
    assert found.keys() == content.keys()
    assert all(torch.equal(found[key], content[key]) for key in content)


@pytest.mark.parametrize("archive", [True, False])
def test_much_beside_the_tensors_is_refused(archive, limit, tmp_path):
    path = save(tmp_path / "a.pth", MANY, archive=archive)
    assert path.stat().st_size > LIMIT
    with pytest.raises(WeightsError, match=r"a\.pth holds too much beside its tensors: save model\.state_dict\(\) alo"):
        unpickle(path, max_bytes=10**9)


@pytest.mark.slow
def test_a_hostile_file_takes_seconds(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"\x80\x02]" + b"(K\x01e" * 50_000_000)
    with little_effort(20), pytest.raises(WeightsError, match="holds too much beside its tensors"):
        unpickle(path, max_bytes=10**9)


@pytest.mark.parametrize(
    "tail",
    [
        b"\x8e" + struct.pack("<Q", 10**15),  # bytes
        b"X" + struct.pack("<I", 2**32 - 1),  # text
        b"V" + b"a" * (MAX_PICKLE + 1) + b"\n",  # a line of text
        b"\x95" + struct.pack("<Q", 10**15) + b"N" * (MAX_PICKLE + 1),  # a frame
    ],
)
def test_what_a_pickle_announces_is_not_read(tail, tmp_path):
    (tmp_path / "a.pth").write_bytes(b"\x80\x02" + tail + b".")
    with pytest.raises(WeightsError, match=r"a\.pth (holds too much|is damaged or holds more)"):
        unpickle(tmp_path / "a.pth", max_bytes=10**9)


def test_an_archive_behind_a_pickle_does_not_lift_the_limit(limit, tmp_path):
    archive = io.BytesIO()
    torch.save({"a": torch.zeros(1)}, archive)
    path = save(tmp_path / "a.pth", MANY, archive=False)
    path.write_bytes(path.read_bytes() + archive.getvalue())
    with pytest.raises(WeightsError, match="holds too much beside its tensors"):
        unpickle(path, max_bytes=10**9)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 50, b"\x80", b"\x80\x02}", b"{}"])
def test_damaged_files_are_refused(damage, tmp_path):
    (tmp_path / "a.pth").write_bytes(damage)
    with pytest.raises(WeightsError, match=r"a\.pth is damaged or holds more than tensors"):
        unpickle(tmp_path / "a.pth", max_bytes=10**9)


def test_other_code_that_loads_files_still_refuses_objects(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    path = save(tmp_path / "a.pth", {"array": np.zeros(2)}, archive=True)
    assert set(unpickle(path, max_bytes=10**6)) == {"array"}
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        torch.load(path, weights_only=True)
    (tmp_path / "b.pth").write_bytes(b"x")
    with pytest.raises(WeightsError):
        unpickle(tmp_path / "b.pth", max_bytes=10**6)
    assert set(torch.serialization.get_safe_globals()) == before
    assert not any(each in before for each in ((Unread, name) for name in UNREAD))

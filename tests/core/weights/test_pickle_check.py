"""Pickles of a few hundred bytes that would take forever to unpickle, and large honest ones."""

import struct
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict
from io import BytesIO

import numpy as np
import pytest
import torch

from core.weights.architecture import WeightsError
from core.weights.pickle_check import MAX_ODD_KEYS, MAX_PLAIN, MAX_STEPS, TooMuch, check_pickle
from core.weights.pickled import HARMLESS, unpickle
from tests.effort import little_effort

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
VERSION = b"\x80\x02M\xe9\x03."
LEVELS = 40
# A tuple that holds another one three times, and so on: 3⁴⁰ values in 240 bytes.
NESTED = b")" + b"".join(b"q%ch%ch%c\x87" % (level, level, level) for level in range(LEVELS))


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


def whole(value):
    return b"\x8a\x10" + value.to_bytes(16, "little")


ZERO = text(b"0")


def persistent(key=ZERO, count=b"K\x01"):
    return b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + key + text(b"cpu") + count + b"tQ"


def tensor(size, storage):
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K\x00"
        + size
        + b")"
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )


HOSTILE = {
    "a key of nested tuples": b"}" + NESTED + b"Ns",
    "keys of nested tuples": b"}(" + NESTED + b"Nu",
    "a set of nested tuples": b"cbuiltins\nset\n](" + NESTED + b"e\x85R",
    "counted nested tuples": b"ccollections\nCounter\n](" + NESTED + b"e\x85R",
    "a nested tuple as the key of a storage": persistent(NESTED),
    "a nested tuple as its kind": b"(" + NESTED + b"NNNNtQ",
    "a call with nested tuples": b"ctorch\nSize\n" + NESTED + b"R",
    "a state of nested tuples": b"ccollections\nOrderedDict\n)R" + NESTED + b"b",
    "a call with nested lists": b"ctorch\nSize\n]q\x00"
    + b"".join(b"]q%c(h%ch%ch%ce" % (level, level - 1, level - 1, level - 1) for level in range(1, LEVELS))
    + b"\x85R",
    "numbers of the same hash": b"}("
    + b"".join(whole(number * (2**61 - 1) + 5) + b"N" for number in range(1, 100_000))
    + b"u",
    "a set of numbers of the same hash": b"cbuiltins\nset\n]("
    + b"".join(whole(number * (2**61 - 1) + 5) for number in range(1, 100_000))
    + b"e\x85R",
    "a long list counted again and again": b"]("
    + b"K\x01" * 90_000
    + b"eq\x00"
    + b"ccollections\nCounter\nh\x00\x85R" * 90_000,
    "too many instructions": b"](" + b"K\x01" * (MAX_STEPS + 1) + b"e",
    "text in a slow code": b"c_codecs\nencode\n" + text("ö".encode() * 10**6) + text(b"punycode") + b"\x86R",
    "many bytes of none": b"cbuiltins\nbytearray\n" + whole(10**12) + b"\x85R",
    "a tensor of 10¹² values": b"ctorch\nFloatTensor\n" + whole(10**12) + b"\x85R",
    "a tensor of one value that claims 10¹²": tensor(whole(10**12) + b"\x85", persistent()),
    "a call through another": b"ctorch._tensor\n_rebuild_from_type_v2\n(cbuiltins\nbytearray\ncbuiltins\nset\n"
    + whole(10**12) + b"\x85NtR",
    "a storage of more values than there are": persistent(count=whole(10**12)),
}  # fmt: skip


def write_archive(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + content + b".")
        archive.writestr("a/version", "3\n")
        archive.writestr("a/data/0", bytes(4))
        archive.writestr("a/data/a", bytes(4))


def write_plain(path, content, keys=b"\x80\x02](X\x01\x00\x00\x000e."):
    path.write_bytes(
        MAGIC + VERSION + b"\x80\x02}." + b"\x80\x02" + content + b"." + keys + struct.pack("<q", 1) + bytes(4)
    )


@pytest.mark.parametrize("write", [write_archive, write_plain])
@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_endless_work_is_refused_at_once(write, content, tmp_path):
    path = tmp_path / "a.pth"
    write(path, content)
    message = r"a\.pth (holds too much beside|is damaged or holds more|holds 4000\.0 GB)"
    with little_effort(3), pytest.raises(WeightsError, match=message):
        unpickle(path, max_bytes=10**9)


@pytest.mark.parametrize("key", [b"9", b"A"])  # of none, and of one whose name is in lower case
def test_an_archive_needs_a_record_for_each_storage(key, tmp_path):
    write_archive(tmp_path / "a.pth", persistent(text(key)))
    with pytest.raises(WeightsError, match=r"a\.pth is damaged"):
        unpickle(tmp_path / "a.pth", max_bytes=10**9)


def test_nested_tuples_are_refused_where_a_file_lists_its_storages(tmp_path):
    write_plain(tmp_path / "a.pth", b"}", keys=b"\x80\x02](" + NESTED + b"e.")
    with pytest.raises(WeightsError, match=r"a\.pth is damaged"):
        unpickle(tmp_path / "a.pth", max_bytes=10**9)


@pytest.mark.slow
def test_an_archive_that_grows_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}.")
        with archive.open("a/data/0", "w") as entry:
            for _ in range(70):
                entry.write(bytes(2**20))
    assert (tmp_path / "a.pth").stat().st_size < 10**5
    with pytest.raises(WeightsError, match="grows more than 4-fold when it is unpacked"):
        unpickle(tmp_path / "a.pth", max_bytes=10**9)


@pytest.mark.slow
@pytest.mark.parametrize("archive", [True, False])
def test_what_training_scripts_save_is_read(archive, tmp_path):
    weights = torch.arange(6.0)
    parameter = torch.nn.Parameter(weights.reshape(2, 3))
    parameter.note = "an attribute"
    state = OrderedDict({f"layer{number}.weight": weights[number % 3 :] for number in range(1000)})
    state._metadata = OrderedDict({"": {"version": 1}})
    content = {
        "model": state,
        "again": state,
        "parameter": parameter,
        "betas": [(0.9, 0.999)] * 1000,
        "anchors": {(side, 1.5): side for side in range(500)},
        "loss": [0.5] * 100_000,
        "names": tuple(f"class {number}" for number in range(1000)),
        "array": np.arange(4),
        "scalar": np.float64(0.5),
        "options": Namespace(lr=0.1, steps=[1, 2]),
        "counts": Counter("letters"),
        "kept": {1, 2, 3},
        "bytes": bytearray(b"abc"),
        "large": {2**100: "number", 0.5: "fraction", None: 0, True: 1},
        "sparse": torch.eye(2).to_sparse(),
        "half": weights.half(),
        "size": weights.shape,
        "kind": torch.float32,
        "device": torch.device("cpu"),
        "repeated": torch.zeros(1).expand(1000),
    }
    content["itself"] = content
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=archive)
    found = unpickle(tmp_path / "a.pth", max_bytes=10**9)
    assert found.keys() == content.keys()
    assert found["model"] is found["again"] and found["anchors"] == content["anchors"]
    assert all(torch.equal(found["model"][key], state[key]) for key in state)


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        ([MAX_PLAIN - 1] * 2 * MAX_ODD_KEYS, True),
        ([MAX_PLAIN] * MAX_ODD_KEYS, True),
        ([MAX_PLAIN] * (MAX_ODD_KEYS + 1), False),
    ],
)
def test_only_so_many_keys_may_have_the_same_hash(keys, allowed):
    content = BytesIO(b"\x80\x02}(" + b"".join(whole(key) + b"N" for key in keys) + b"u.")
    if allowed:
        assert check_pickle(content, HARMLESS).values == {}
    else:
        with pytest.raises(TooMuch):
            check_pickle(content, HARMLESS)

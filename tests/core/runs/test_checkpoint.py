import json
import struct

import pytest
import torch
from safetensors.torch import save_file

from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.folder import RunError

STATE = {
    "step": 3,
    "model": {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(5)},
    "optimizer": {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.ones(2)}, 10: {}}, "groups": [{"lr": 0.1}]},
    "schedule": {"best": float("inf")},
    "averaged": None,
}  # fmt: skip


def same(one, other) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, STATE)
    assert same(load_checkpoint(path), STATE)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def damaged(path, change) -> None:
    save_checkpoint(path, STATE)
    raw = bytearray(path.read_bytes())
    path.write_bytes(change(raw))


def flipped(raw: bytearray) -> bytearray:
    raw[-3] ^= 1  # the number stays finite
    return raw


@pytest.mark.parametrize(
    "change",
    [
        flipped,
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:5],
        lambda raw: b"",
        lambda raw: b"PK\x03\x04 not one",
        lambda raw: struct.pack("<Q", 2**60) + raw[8:],
    ],
)
def test_damage_is_one_sentence(tmp_path, change):
    path = tmp_path / "checkpoint.safetensors"
    damaged(path, change)
    before = path.read_bytes()
    with pytest.raises(RunError, match="is damaged, so the run cannot be resumed from it: start a new run"):
        load_checkpoint(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "rest", ['{"tensor": "none"}', "[1]", "{", "[" * 5000, '{"pairs": [1]}', '{"a": {"tensor": {}}}']
)
def test_other_contents_are_refused(tmp_path, rest):
    path = tmp_path / "checkpoint.safetensors"
    save_file({}, path, {"state": rest, "crc32": "0"})
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(path)


def test_without_its_metadata_a_file_is_no_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_file({"a": torch.ones(2)}, path)
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(path)
    with pytest.raises(RunError, match="no checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors")


def test_a_hostile_nest_is_refused(tmp_path):
    path, nest = tmp_path / "checkpoint.safetensors", 1
    for _ in range(100):
        nest = {"a": nest}
    save_file({}, path, {"state": json.dumps(nest), "crc32": "0"})
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(path)

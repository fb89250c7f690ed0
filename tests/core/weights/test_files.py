import zipfile

import pytest
import torch

from core.reader import Kind, Limits, read_apart_from_now_on
from core.reader.limits import VARIABLE, LimitsError, limits_for
from core.weights.files import load_file, read_file
from core.weights.sources import BUILTIN, load_weights
from core.weights.state_dict import WeightsError

LIMITS = Limits(seconds=4, total=60, memory=2**30, answer=2**28, remedy="choose another")


def write_pickle(path, pickle: bytes) -> None:
    """Writes a file as PyTorch's, with any pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle)
        archive.writestr("a/version", "3\n")


def nest_tuples(depth: int) -> bytes:
    """Returns the pickle of a dictionary whose key is a tuple of three times the same tuple, and so on."""
    tuples = b"".join(b"h%ch%ch%c\x87q%c" % (level, level, level, level + 1) for level in range(depth))
    return b"\x80\x02}X\x01\x00\x00\x00aq\x00" + tuples + b"K\x01s."


@pytest.mark.slow
def test_another_process_reads_the_same_and_refuses_the_same(apart, tmp_path, monkeypatch):
    ours = load_weights("builtin")
    path, damaged = tmp_path / "a.pth", tmp_path / "b.pth"
    torch.save(dict(ours.state), path)
    here, there = read_file("a", path), load_file("a", path)
    assert there._replace(state={}) == here._replace(state={})  # the types, too: tuples stay tuples
    assert there.state.keys() == here.state.keys()
    assert all(torch.equal(there.state[key], here.state[key]) for key in here.state)
    damaged.write_bytes(path.read_bytes()[:10_000])
    monkeypatch.chdir(tmp_path)
    for each in (damaged, damaged.relative_to(tmp_path)):
        messages = []
        for read in (read_file, load_file):
            with pytest.raises(WeightsError) as raised:
                read("b", each)
            messages.append(str(raised.value))
        assert messages[0] == messages[1]
    hostile = tmp_path / "c.pth"
    write_pickle(hostile, nest_tuples(40))
    assert hostile.stat().st_size < 650
    with pytest.raises(WeightsError, match=r"c\.pth (takes more than 4 seconds to read: choose another|holds|is)"):
        load_file("c", hostile)


def test_what_is_trusted_is_read_here(apart, tmp_path):
    read_apart_from_now_on(LIMITS, (Kind.WEIGHTS,), trusted=(tmp_path / "runs",))
    assert limits_for(Kind.WEIGHTS, tmp_path / "runs/a/weights.safetensors") is None
    assert limits_for(Kind.WEIGHTS, tmp_path / "runs/../weights.safetensors") == LIMITS
    assert limits_for(Kind.PICTURES) is None
    with pytest.raises(WeightsError, match="does not exist"):  # for which no process is started
        load_file("a", tmp_path / "absent.pth")
    assert load_weights("builtin").state.keys() == read_file("a", BUILTIN).state.keys()


def test_the_environment_lifts_all_bounds(monkeypatch):
    monkeypatch.setenv(VARIABLE, "none")
    read_apart_from_now_on(LIMITS, tuple(Kind))
    assert limits_for(Kind.PICKLED) is None
    monkeypatch.setenv(VARIABLE, "many")
    with pytest.raises(
        LimitsError, match=r"^RETINANET_LIMITS='many' is not understood: set it to none, or leave it out"
    ):
        read_apart_from_now_on(LIMITS, tuple(Kind))

"""Files that are written completely or not at all."""

import os
import stat

import pytest
import torch
from safetensors.torch import save_file

from core.io.atomic import mark_used, write_atomically, write_text


@pytest.fixture(params=[0o022, 0o027, 0o077])
def mask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_written_files_have_the_permissions_of_any_new_file(mask, tmp_path):
    write_text(tmp_path / "a.txt", "a")
    with write_atomically(tmp_path / "a.safetensors") as temporary:
        save_file({"a": torch.zeros(1)}, temporary)  # which safetensors writes for the owner alone
    assert mode(tmp_path / "a.txt") == mode(tmp_path / "a.safetensors") == 0o666 & ~mask


def test_an_error_leaves_the_earlier_file(tmp_path):
    write_text(tmp_path / "a.txt", "before")
    with pytest.raises(ZeroDivisionError), write_atomically(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_what_is_used_later_has_a_later_time_within_a_tick_of_the_system(tmp_path):
    paths = [tmp_path / str(number) for number in range(50)]
    for path in paths:
        path.touch()
        mark_used(path)
    times = [path.stat().st_mtime_ns for path in paths]
    assert times == sorted(set(times))

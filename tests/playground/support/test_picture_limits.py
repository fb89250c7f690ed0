"""The limits of pictures: how many are opened at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Lock

import pytest
import torch

from core.errors import PictureError
from playground.support import picture_limits
from tests.waiting import HANG


def test_few_uploads_are_opened_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding and scaling the largest allowed picture takes a gigabyte."""
    open_now, most, lock, together = 0, 0, Lock(), Barrier(picture_limits.OPENED_AT_ONCE, timeout=HANG)

    def slow(path: Path, max_side: int) -> tuple[torch.Tensor, bool]:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        together.wait()  # as many as may be open
        with lock:
            open_now -= 1
        return torch.zeros(3, 4, 4, dtype=torch.uint8), False

    monkeypatch.setattr(picture_limits, "open_shrunk", slow)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: picture_limits.open_limited(tmp_path, "x"), range(10)))
    assert most == picture_limits.OPENED_AT_ONCE


def test_a_picture_that_cannot_be_opened_leaves_the_place_to_others(tmp_path: Path) -> None:
    for _ in range(picture_limits.OPENED_AT_ONCE + 1):
        with pytest.raises(PictureError, match="picture me"):
            picture_limits.open_limited(tmp_path / "none.png", "me")

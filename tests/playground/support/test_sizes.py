from types import SimpleNamespace

import psutil
import pytest

from playground.support import sizes


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((), 8_000), (("max\n",), 8_000), (("500\n",), 500), (("9000\n", "700\n"), 700), ((None, ""), 8_000)],
)
def test_a_container_has_no_more_memory_than_its_limit(limits, expected, tmp_path, monkeypatch):
    files = [tmp_path / str(number) for number in range(len(limits))]
    for file, text in zip(files, limits, strict=True):
        if text is not None:
            file.write_text(text)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8_000))
    monkeypatch.setattr(sizes, "MEMORY_LIMITS", files)
    assert sizes.measure_memory() == expected

import pytest

from core.scheduler.worker import _cuda_name


@pytest.mark.parametrize(
    ("visible", "device", "name"), [("", 0, "0"), ("", 3, "3"), ("2,5", 1, "5"), ("GPU-1a,GPU-2b", 0, "GPU-1a")]
)
def test_a_run_sees_the_device_that_it_has_taken(monkeypatch, visible, device, name):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert _cuda_name(device) == name

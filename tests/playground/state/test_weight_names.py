"""Weights have short keys instead of paths of the server."""

import gradio as gr
import pytest

from core.config import Config, ConfigError
from playground.pipeline.networks import MissingWeightsError, follow_weights, name_weights
from playground.runs.service import RUNS
from playground.server.permalink import from_link, to_link
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.state.weight_names import from_key, list_choices, to_key

FOLDER = "0123456789abcdef" * 4


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    folder = tmp_path / "uploads" / FOLDER
    folder.mkdir(parents=True)
    assert str(gr.utils.get_upload_folder()) == str(tmp_path / "uploads")
    return folder


@pytest.fixture
def runs(tmp_path):
    before = RUNS.root
    RUNS.use_folder(tmp_path / "runs")
    yield tmp_path / "runs"
    RUNS.use_folder(before)


def with_weights(name):
    return Config.from_flat({"model.weights": str(name)})


def test_keys_stand_for_paths(uploads, runs):
    for path, key in {
        uploads / "mine.pth": "upload/0123456789abcdef/mine.pth",
        runs / "r1" / "weights.safetensors": "run/r1",
        runs / "r1" / "uploaded" / "mine.pth": "run/r1/uploaded/mine.pth",
        runs / "r1" / "uploaded" / "weights.safetensors": "run/r1/uploaded",
        runs / "w.safetensors": "run/w.safetensors",
    }.items():
        assert to_key(str(path)) == key and from_key(key) == str(path)
    assert to_key("builtin") == from_key("builtin") == "builtin"


def test_no_address_and_no_widget_holds_a_path(uploads, runs):
    config = with_weights(uploads / "mine.pth")
    state = PageState("network", settings=settings_of(config), pinned="defaults")
    assert state.config() == config
    link = to_link(state, config)
    assert str(uploads.parent) not in state.settings + link and "mine.pth" in link
    assert from_link(link).config().model.weights == str(uploads / "mine.pth")
    assert list_choices(config)[-1] == ("mine.pth", "upload/0123456789abcdef/mine.pth")
    assert name_weights(str(runs / "r1" / "weights.safetensors")) == "r1"


def test_old_links_with_paths_still_work(uploads, runs):
    assert from_link(f"model.weights={uploads}/mine.pth").config().model.weights == f"{uploads}/mine.pth"


@pytest.mark.parametrize("key", ["run/../../etc/passwd.pth", f"upload/{FOLDER[:16]}/../../../x.pth", "upload/01/x.pth"])
def test_keys_open_nothing_outside(uploads, runs, key):
    with pytest.raises(ConfigError, match="is not available here") as error:
        from_link(f"model.weights={key}")
    assert str(uploads.parent.parent) not in str(error.value)


def test_errors_name_the_file_without_its_path(uploads, runs):
    (uploads / "mine.pth").write_bytes(b"no weights at all")
    with pytest.raises(Exception) as error:
        follow_weights(with_weights(uploads / "mine.pth"))
    assert "mine.pth" in str(error.value) and str(uploads) not in str(error.value)


def test_nothing_is_downloaded_by_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("coco", "coco_v2", "imagenet"):
        with pytest.raises(MissingWeightsError, match="not on this server yet"):
            follow_weights(with_weights(name))
    assert list(tmp_path.iterdir()) == []

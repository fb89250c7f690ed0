"""The choice of weights."""

from pathlib import Path

import gradio as gr
import pytest
import torch

from core.config import Config
from core.retinanet.model import build_model
from core.weights.sources import save_weights
from playground.events.weights import choose_weights
from playground.layout.layout import lay_out
from playground.state.page_state import PageState
from playground.state.settings import config_of, settings_of
from playground.steps import weights

TINY = {"model.fpn_channels": 32, "model.num_convs": 0, "model.head_norm": "none", "inference.image_size": 64}
SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 64}


@pytest.fixture(scope="module")
def page():
    with gr.Blocks(analytics_enabled=False):
        return lay_out()


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def network(anchors=9):
    return build_model(Config.from_flat(TINY).model, num_classes=3, anchors_per_location=anchors)


def choose(page, path):
    state = PageState("network", settings=settings_of(Config.from_flat(SMALL)))
    updates = choose_weights(page, state, str(path))
    settings = updates.get(page.state["settings"])
    return updates[page.parts["notice"]], settings and config_of(settings)


@pytest.mark.slow
def test_what_is_assumed_of_an_upload_is_a_notice(page, uploads):
    torch.save({"state_dict": network().state_dict()}, uploads / "theirs.ckpt")
    notice, config = choose(page, uploads / "theirs.ckpt")
    assert notice.startswith("theirs.ckpt does not say with which settings it was trained.")
    assert "\n" not in notice and "does not name its 3 classes" in notice
    assert "assumed settings" in weights.paragraphs(config) and "Size on P3" in weights.paragraphs(config)
    assert config.anchors.size_p3 == 32 and config.model.num_convs == 0 and config.inference.image_size == 800


@pytest.mark.slow
def test_weights_that_say_it_need_no_notice(page, uploads):
    save_weights(uploads / "mine.pth", network(), Config.from_flat(TINY), ("a", "b", "c"), (0, 1, 2))
    notice, config = choose(page, uploads / "mine.pth")
    assert notice == "" and config.inference.image_size == 64 and config.anchors.size_p3 == 16


@pytest.mark.slow
def test_refused_weights_are_put_back(page, uploads):
    torch.save(network(anchors=2).state_dict(), uploads / "two.pth")
    notice, config = choose(page, uploads / "two.pth")
    assert "anchors per location contradicts the weights" in notice and config is None

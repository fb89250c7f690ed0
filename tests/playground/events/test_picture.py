"""The page's picture: what an upload replaces."""

import gradio as gr
from PIL import Image

from core.config import Config
from playground.canvas.edit import Pick
from playground.events.picture import connect_picture
from playground.layout.layout import lay_out
from playground.state.page_state import PageState
from playground.state.settings import settings_of

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


def test_an_uploaded_picture_replaces_the_picture_and_the_last_click(tmp_path):
    Image.new("RGB", (96, 64)).save(tmp_path / "mine.png")
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_picture(page)
    (event,) = (each for each in blocks.fns.values() if (page.controls.picture.upload._id, "upload") in each.targets)
    state = PageState("picture", pick=Pick(10, 10), settings=settings_of(Config.from_flat(SMALL)))
    updates = event.fn(*(getattr(state, name) for name in page.state), str(tmp_path / "mine.png"))
    assert updates[page.state["user_picture"]].picture.name == "mine.png"
    assert updates[page.state["pick"]] is None  # else the next event would report on the click again
    assert set(updates) <= set(event.outputs)

import json
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from core.config import Config, ConfigError, knobs
from core.errors import PictureError, UserError
from core.retinanet.model import build_model
from core.weights.sources import save_weights
from playground.canvas.edit import Pick
from playground.data.picture import open_upload
from playground.data.scene_examples import EXAMPLES, apply_example
from playground.pipeline.networks import follow_weights
from playground.runs.service import RUNS
from playground.server.permalink import from_link, to_link
from playground.server.render import UNCHANGED, render
from playground.state.page_state import PageState, require_known_weights
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture, draw_objects
from playground.steps import STEPS
from playground.support.picture_limits import MAX_SIDE

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


def state_of(step: str = "picture", **changes) -> PageState:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return PageState(step, settings=settings_of(config))


def test_shows_all_parts():
    shown = render(state_of("detections"))
    assert shown.notice == "" and None not in shown[:6]
    state = json.loads(shown.strip)
    assert state["step"] == "detections" and [cell["key"] for cell in state["cells"]][:2] == ["picture", "body"]
    assert list(dict.fromkeys(cell["step"] for cell in state["cells"])) == list(STEPS)
    assert "–" not in [cell["headline"] for cell in state["cells"]]
    assert [cell["name"] for cell in state["levels"]] == ["P3", "P4", "P5", "P6", "P7"]
    assert {layer["key"] for layer in json.loads(shown.canvas)["layers"]} >= {"kept", "suppressed", "before"}


def test_a_bad_setting_is_a_notice_and_changes_nothing_else():
    bad = state_of()._replace(settings=json.dumps({**json.loads(state_of().settings), "loss.gamma": 99}))
    shown = render(bad)
    assert "“γ (focusing)” = 99" in shown.notice and shown.notice.endswith(UNCHANGED) and set(shown[1:]) == {None}


def test_weights_that_do_not_fit_leave_the_steps_before_them_alive():
    one = PageState("anchors", settings=settings_of(Config.from_flat({"anchors.ratios": (1.0,)})))
    shown = render(one)
    cells = {cell["key"]: cell["headline"] for cell in json.loads(shown.strip)["cells"]}
    assert shown.notice == "" and cells["loss"] == cells["threshold"] == cells["detections"] == "–"
    assert "–" not in (cells["body"], cells["anchors"], cells["assignment"])
    stopped = render(one._replace(step="detections"))
    assert "anchors per location contradicts" in stopped.notice and "nothing to show" in stopped.readout
    assert [layer["key"] for layer in json.loads(stopped.canvas)["layers"]] == ["truth"] and stopped.figure == ""
    assert json.loads(stopped.strip)["step"] == "detections"


@pytest.mark.parametrize("step", ["picture", "loss"])
def test_link_round_trip(step):
    config = Config.from_flat({"loss.gamma": 1.5, "anchors.ratios": (0.5, 1.0), "scenes.seed": 3})
    state = PageState(step, pick=Pick(10, 20, "truth", 3), level=2, curve="slope by the logit", p_t=0.25, map="scores")
    state = state._replace(settings=settings_of(config))
    assert from_link(to_link(state, config)) == state
    assert from_link(to_link(state, config)).config() == config
    assert to_link(PageState("picture"), Config()) == "step=picture"


def test_links_come_from_anyone():
    for query in (
        "step=nowhere",
        "level=P9",
        "curve=x",
        "map=x",
        "p_t=x",
        "pick=1,x",
        "pick=7",
        "loss.gamma=99",
        "nothing=1",
        "model.weights=/etc/passwd",
        "model.weights=../x.pth",
    ):
        with pytest.raises(ConfigError):
            from_link(query)
    assert from_link("__theme=dark&hide=loss&layers=-truth").config() == Config()
    assert from_link("pick=1,2").pick == from_link("pick=1,2,kept").pick == Pick(1, 2)


def test_only_own_files_may_be_weights(tmp_path):
    uploads = Path(gr.utils.get_upload_folder()) / "abc" / "w.safetensors"
    require_known_weights(Config.from_flat({"model.weights": str(uploads)}))
    require_known_weights(Config.from_flat({"model.weights": str(RUNS.root / "1" / "weights.safetensors")}))
    for name in (str(tmp_path / "w.safetensors"), f"{RUNS.root}/../secret.pth", "/etc/shadow"):
        with pytest.raises(ConfigError, match="not available here"):
            require_known_weights(Config.from_flat({"model.weights": name}))


@pytest.mark.slow
def test_settings_follow_the_weights(tmp_path):
    config = Config.from_flat({**SMALL, "anchors.size_p3": 20})
    model = build_model(config.model, num_classes=2, anchors_per_location=9)
    save_weights(tmp_path / "w.safetensors", model, config, ("a", "b"), (1, 2))
    on_page = Config.from_flat(Config().to_flat() | {"model.weights": str(tmp_path / "w.safetensors")})
    followed = follow_weights(on_page)
    assert followed.model.fpn_channels == 32 and followed.anchors.size_p3 == 20
    assert followed.loss == on_page.loss
    assert follow_weights(state_of().config()) == state_of().config()


def test_examples_are_valid_and_go_back_to_the_defaults_they_do_not_name():
    base = Config.from_flat({"scenes.noise": 1, "loss.gamma": 1})
    for name in EXAMPLES:
        config = apply_example(name, base)
        assert config.loss.gamma == 1
        assert config.scenes.noise == EXAMPLES[name].get("scenes.noise", knobs()["scenes.noise"].default)


def test_drawn_boxes_come_in_network_pixels_and_are_kept_in_the_pictures():
    pipeline = state_of(scenes__image_size=320).pipeline()  # seen at 96 px
    fields = {"boxes": [{"x1": 9, "y1": 9, "x2": 48, "y2": 48, "label": 2}], "classes": list(pipeline.class_names)}
    picture, scenes = draw_objects(fields, pipeline)[:2]
    assert picture.sample.boxes.tolist() == [pytest.approx([30, 30, 160, 160])]
    assert scenes == pipeline.config.scenes
    assert picture.sample.labels.tolist() == [2] and picture.pixels_key == pipeline.picture.pixels_key
    with pytest.raises(UserError, match="Box 1"):
        draw_objects({**fields, "boxes": [{"x1": "a"}]}, pipeline)


def test_drawn_boxes_have_the_classes_of_the_picture():
    pipeline = state_of().pipeline()
    fields = {"boxes": [{"x1": 9, "y1": 9, "x2": 48, "y2": 48, "label": 1}], "classes": ["cat", "dog"]}
    with pytest.raises(UserError, match="classes of this picture have changed"):
        draw_objects(fields, pipeline)


def save(path: Path, array: np.ndarray, mode: str | None = None, **options) -> str:
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(path, **options)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mode", "shape"),
    [
        ("a.jpg", "CMYK", (40, 60, 3)),
        ("b.png", None, (30, 20)),
        ("c.gif", None, (9, 9, 3)),
        ("d.png", "RGBA", (1, 1, 3)),
        ("e.webp", None, (30, 3000, 3)),
    ],
)
def test_odd_pictures_go_through_every_step(tmp_path, name, mode, shape):
    array = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    picture = open_upload(save(tmp_path / name, array, mode), name, ("a",))
    assert max(picture.sample.image.shape) <= MAX_SIDE
    for step in ("picture", "network", "anchors", "assignment", "loss", "detections", "training"):
        shown = render(state_of(step)._replace(user_picture=UserPicture(picture, state_of().config().scenes)))
        assert shown.notice == "", (step, shown.notice)


def test_turning_a_dial_goes_back_to_scenes(tmp_path):
    picture = open_upload(save(tmp_path / "a.png", np.zeros((9, 9, 3), np.uint8)), "a.png", ("a",))
    own = UserPicture(picture, state_of().config().scenes)
    assert state_of()._replace(user_picture=own).pipeline().picture is picture
    assert state_of(loss__gamma=1)._replace(user_picture=own).pipeline().picture is picture
    assert state_of(scenes__noise=1)._replace(user_picture=own).pipeline().picture.name == "scene 0"


def test_a_broken_picture_is_named(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(PictureError, match=r"x\.jpg") as refused:
        open_upload(str(tmp_path / "x.jpg"), "x.jpg", ("a",))
    assert str(tmp_path) not in str(refused.value)  # where the server keeps it


@pytest.mark.parametrize("query", ["p_t=nan", "p_t=1e400", "pick=inf,1", "pick=nan,3", "pick=1,1e300"])
def test_a_link_with_a_number_that_is_none_is_refused(query):
    with pytest.raises(ConfigError, match="must be a number"):
        from_link(query)

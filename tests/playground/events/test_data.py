import json
import zipfile
from types import SimpleNamespace

import gradio as gr
import pytest

from core.config import Config, ConfigError
from core.data.untrusted import DataError
from core.errors import UserError
from core.runs.about import About
from playground.data.browse import build_bar, choose_picture
from playground.data.checking import RefusedError
from playground.data.datasets import DATA
from playground.data.image_ref import ImageRef
from playground.data.report import build_report
from playground.data.sources import open_picture
from playground.events.data.sets import connect_data, describe_split, parse_shares, unread_updates
from playground.events.navigation import open_link
from playground.events.picture import show_image
from playground.layout.layout import lay_out
from playground.server.permalink import from_link, to_link
from playground.server.render import render
from playground.state.anchor_search import FIT_TO, fit_anchors
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.state.user_picture import draw_objects
from playground.steps.evaluation.step import was_split_otherwise
from playground.support.picture_limits import MAX_SIDE
from tests.core.made_data import coco, coco_content, picture, yolo
from tests.playground.made_runs import make_run, runs_at

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}
CONFIG = Config.from_flat(SMALL)
ASKED = PageState("picture", settings=settings_of(CONFIG))
EVIL = "<img src=x onerror=1>"


def bring(folder, name: str = "mine"):
    archive = folder.parent / "set.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for path in folder.rglob("*"):
            content.write(path, path.relative_to(folder))
    return DATA.add_zip(archive, name, CONFIG)


@pytest.fixture(autouse=True)
def library(tmp_path):
    before = DATA.library.folder
    DATA.use_folder(tmp_path / "kept")
    yield
    DATA.use_folder(before)


@pytest.fixture
def mine(tmp_path):
    labels = {f"p{number}": f"{number % 2} 0.5 0.5 0.9 0.05" for number in range(10)}
    return bring(yolo(tmp_path / "set", labels))


def test_a_picture_of_a_data_set_is_on_show_with_its_objects(mine):
    state = show_image(ASKED, ImageRef("mine", "train", 2))
    pipeline = state.pipeline()
    assert pipeline.picture.class_names == ("cat", "dog") and len(pipeline.objects[0]) == 1
    shown = render(state)
    assert shown.notice == "" and "mine: YOLO, " in shown.readout and "10 pictures, 2 classes." in shown.readout
    bar = json.loads(shown.bar)
    assert (bar["source"], bar["split"], bar["index"], bar["count"]) == ("mine", "train", 2, 8)
    assert bar["sources"][-1] == ["mine", "mine"] and bar["name"] == pipeline.picture.name
    assert show_image(state, None).pipeline().picture.name == "scene 0"


def test_every_step_but_the_loss_shows_a_data_set_of_other_classes(mine):
    state = show_image(ASKED, ImageRef("mine", "val"))
    for step in ("network", "anchors", "assignment", "detections", "training"):
        assert render(state._replace(step=step)).notice == ""
    assert "The weights random do not know the class dog" in render(state._replace(step="loss")).notice


def test_splitting_says_what_changed(mine):
    after = DATA.split("mine", "random", (0.5, 0.3, 0.2), CONFIG)
    said = describe_split(mine, after)
    assert said.startswith("mine is split anew: train 5, val 3, test 2 (before: train 8, val 1, test 1).")


@pytest.mark.parametrize("started_before", [True, False])
def test_evaluating_a_run_of_another_split_warns(mine, tmp_path, started_before):
    then = DATA.open_split("mine", "train").digest
    now = DATA.split("mine", "random", (0.5, 0.3, 0.2), CONFIG)
    digest = then if started_before else DATA.open_split("mine", "train").digest
    with runs_at(tmp_path / "runs"):
        run = make_run(tmp_path / "runs" / "trained", SMALL, [])
        run.write_about(About(str(now.folder)).with_pictures(digest))
        first, tuned = run.path / "weights.safetensors", tmp_path / "runs" / "tuned"
        made = make_run(tuned, {**SMALL, "model.weights": str(first)}, [])
        made.write_about(About(str(now.folder)).with_pictures(DATA.open_split("mine", "train").digest))
        for weights in (first, tuned / "weights.safetensors"):  # also where only the initial weights have seen them
            assert was_split_otherwise(str(weights), ImageRef("mine", "val")) == started_before
    assert not was_split_otherwise("builtin", ImageRef("mine", "val"))
    assert not was_split_otherwise(str(first), ImageRef("scenes", "val"))


def test_the_report_names_what_no_anchor_fits_and_where(mine):
    text = render(show_image(ASKED, ImageRef("mine", "train"))).readout
    assert "10 objects that no anchor overlaps enough" in text and 'data-choose="go mine/train/' in text
    coarse = CONFIG.replace({"matching.fg_iou_threshold": 0.0, "matching.bg_iou_threshold": 0.0})
    assert (
        "no anchor overlaps"
        not in render(show_image(ASKED._replace(settings=settings_of(coarse)), ImageRef("mine", "val"))).readout
    )


def test_names_from_outside_are_escaped(tmp_path):
    content = coco_content()
    content["categories"][0]["name"] = EVIL
    bring(coco(tmp_path / "set", content), EVIL)
    (name,) = DATA.library.names()
    assert name == "img-src-x-onerror-1" and EVIL not in render(show_image(ASKED, ImageRef(name, "train"))).readout
    content["annotations"][0]["image_id"] = EVIL
    with pytest.raises(RefusedError) as caught:
        bring(coco(tmp_path / "other", content), "x")
    assert EVIL not in build_report("x", caught.value.check, {}, caught.value.check.issues)


def test_link_round_trip(mine):
    state = show_image(ASKED, ImageRef("mine", "train", 2))
    link = to_link(state, CONFIG)
    assert "data=mine/train/3" in link
    again = from_link(link)
    assert (
        again.user_picture.image_ref == state.user_picture.image_ref
        and again.pipeline().picture is state.pipeline().picture
    )
    moved = CONFIG.replace({"scenes.noise": 1.0})
    assert "data=" not in to_link(state._replace(settings=settings_of(moved)), moved)
    pinned = state._replace(
        pinned="loss.gamma=1&model.weights=random", pinned_picture=state.user_picture, user_picture=None
    )
    assert "pinned_data=mine/train/3" in to_link(pinned, CONFIG)
    assert from_link(to_link(pinned, CONFIG)).pinned_picture.image_ref == state.user_picture.image_ref


def test_held_out_scenes_have_a_link_too():
    state = show_image(ASKED, ImageRef("scenes", "val", 4))
    assert from_link(to_link(state, CONFIG)).user_picture.picture.pixels_key == state.user_picture.picture.pixels_key
    assert state.user_picture.picture.pixels_key != open_picture(ImageRef("scenes", "val", 5), CONFIG.scenes).pixels_key


@pytest.mark.parametrize(
    "text", ["mine", "mine/train", "mine/train/0", "mine/train/x", "mine/x/1", "/train/1", "a/train/1/2", "mine/val/²"]
)
def test_places_that_are_none(text):
    with pytest.raises(ConfigError, match="must be like name/train/1"):
        from_link(f"data={text}")


def test_a_link_to_data_of_another_machine_is_followed_without_it():
    link = "data=theirs/val/3&loss.gamma=1&step=loss"
    with pytest.raises(DataError, match="no data set 'theirs' here"):
        from_link(link)
    state, message = open_link(link)
    assert state.step == "loss" and state.user_picture is None
    assert message.startswith("The picture of the link is not on show.") and "upload it again" in message


def test_a_picture_beyond_the_end_is_refused(mine):
    with pytest.raises(DataError, match="8 pictures for train, and no picture 9: choose"):
        open_picture(ImageRef("mine", "train", 8), CONFIG.scenes)


def test_drawn_objects_stay_when_the_history_comes_back(mine):
    state = show_image(ASKED, ImageRef("mine", "train", 2))
    box = {"x1": 1, "y1": 1, "x2": 50, "y2": 50, "label": 1}
    fields = {"boxes": [box], "classes": list(state.pipeline().picture.class_names)}
    own = draw_objects(fields, state.pipeline())._replace(image_ref=state.image_ref())
    assert open_link("data=mine/train/3", own).state.user_picture is own
    assert open_link("data=mine/train/2", own).state.user_picture.image_ref.index == 1
    assert open_link("", own).state.user_picture is None


def test_the_bar_believes_nothing(mine):
    here = ImageRef("mine", "train", 3)
    assert choose_picture(here, "mine", "train", 4) == ImageRef("mine", "train", 4)
    assert choose_picture(here, "mine", "val", 9) == ImageRef("mine", "val", 0)
    assert choose_picture(here, "mine", "nothing", -3) == ImageRef("mine", "train", 0)
    assert choose_picture(here, "mine", "train", 10**9) == ImageRef("mine", "train", 7)
    assert choose_picture(here, "scenes", "train", 5) == ImageRef("scenes", "val", 0)
    for source in ("", None, 5, [], {}):
        assert choose_picture(here, source, "train", 1) is None
    with pytest.raises(DataError, match="no data set"):
        open_picture(choose_picture(here, "gone", "train", 1), CONFIG.scenes)
    assert choose_picture(here, "mine", ["val"], {}) == ImageRef("mine", "train", 0)
    assert json.loads(build_bar(ImageRef("gone", "train", 3), "x", None))["count"] == 0


@pytest.mark.parametrize("text", ["", "1", "0.5, 0.5", "a,b,c", "0.8;0.1;0.1", "1,2,3,4"])
def test_shares_that_are_none(text):
    with pytest.raises(DataError, match="numbers for train, val and test"):
        parse_shares(text)


@pytest.mark.slow
def test_anchors_are_fitted_to_the_whole_data_set(mine):
    state = show_image(ASKED, ImageRef("mine", "train"))
    config, said = fit_anchors(FIT_TO[2], state.pipeline(), state.image_ref())
    assert "of 10 objects" in said and config.anchors != CONFIG.anchors
    with pytest.raises(UserError, match="does not belong to a data set"):
        fit_anchors(FIT_TO[2], ASKED.pipeline(), None)


@pytest.mark.slow
def test_a_large_picture_is_scaled_down_with_its_boxes(tmp_path):
    folder = yolo(tmp_path / "set", {"p1": "0 0.5 0.5 0.5 0.5", "p2": "0 0.5 0.5 1 1"})
    for name in ("p1", "p2"):
        picture(folder / "images" / f"{name}.png", (2 * MAX_SIDE, MAX_SIDE // 4))
    bring(folder)
    sample = open_picture(ImageRef("mine", "train"), CONFIG.scenes).sample
    assert sample.image.shape == (3, MAX_SIDE // 8, MAX_SIDE)
    assert sample.boxes[0].tolist() in ([512, 64, 1536, 192], [0, 0, 2048, 256])


@pytest.mark.slow
def test_imports_report_their_progress():
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_data(page, blocks)
    controls = page.controls.picture.data
    for control, event, mode in ((controls.archive, "upload", "multiple"), (controls.use_folder, "click", "once")):
        (imported,) = (each for each in blocks.fns.values() if (control._id, event) in each.targets)
        assert imported.tracks_progress and imported.trigger_mode == mode  # no upload is dropped in silence


def test_a_data_set_that_cannot_be_read_has_its_row_and_a_button_that_deletes_it(mine):
    record, controls = DATA.library.folder / "mine.json", SimpleNamespace(unread="name", delete_unread="button")
    assert unread_updates(controls)["button"].visible is False
    record.write_text("{")
    assert json.loads(build_bar(None, "", None))["sources"][-1] == ["mine", "mine (cannot be read)"]
    with pytest.raises(DataError, match="'mine' cannot be read"):
        show_image(ASKED, choose_picture(None, "mine", "train", 0))
    name, button = unread_updates(controls).values()
    assert (name, button.value, button.visible) == ("mine", "Delete mine, which cannot be read", True)
    (DATA.library.folder / "other.json").touch()
    assert unread_updates(controls)["button"].value == "Delete mine (2 cannot be read)"


@pytest.fixture
def press(tmp_path):
    """Presses a button of the data sets, with what was chosen above the picture; the state is of the time after it."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_data(page, blocks)
    controls = page.controls.picture.data
    sender = SimpleNamespace(cookies={})

    def press(name, state, *values):
        button = getattr(controls, name)
        (click,) = (each for each in blocks.fns.values() if (button._id, "click") in each.targets)
        assert click.inputs[-1] is controls.source and ".source-of" in click.js
        updates = click.fn(sender, sender, *(getattr(state, field) for field in page.state), *values)
        return updates, page

    return press


@pytest.mark.slow
def test_the_data_set_on_show_at_the_click_is_split_or_deleted_and_the_picture_on_show_stays(press, mine, tmp_path):
    bring(yolo(tmp_path / "others", {f"o{number}": "0 0.5 0.5 0.9 0.05" for number in range(10)}), "other")
    before = DATA.library.get("other").splits
    state = show_image(ASKED, ImageRef("other", "train", 2))
    updates, page = press("split", state, "random", "0.5, 0.3, 0.2", "mine")
    assert "mine is split anew: train 5, val 3, test 2" in updates[page.parts["notice"]]
    assert DATA.library.get("other").splits == before and page.state["user_picture"] not in updates
    updates, page = press("delete", state, "mine")
    assert DATA.library.names() == ("other",) and "mine is deleted" in updates[page.parts["notice"]]
    assert page.state["user_picture"] not in updates
    for source in ("", "mine", "scenes", None, ["other"]):
        updates, page = press("delete", state, source)
        assert updates == {page.parts["notice"]: "There is no data set to delete: choose one above the picture."}
    updates, page = press("delete", state, "other")
    assert updates[page.state["user_picture"]] is None


@pytest.mark.slow
def test_the_button_deletes_the_data_set_that_it_names_or_none(mine):
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_data(page, blocks)
    controls = page.controls.picture.data
    (click,) = (each for each in blocks.fns.values() if (controls.delete_unread._id, "click") in each.targets)
    assert [each._id for each in click.inputs][-1] == controls.unread._id
    for name in ("mine", "other"):
        (DATA.library.folder / f"{name}.json").write_text("{")
    DATA.delete_unread("mine")  # in another window
    with pytest.raises(DataError, match="no data set 'mine' here that cannot be read"):
        DATA.delete_unread("mine")
    assert DATA.list_unread() == ["other"]

"""My pictures: what the intake and the panel do to the state of the page and to the album."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from core.config import Config
from core.errors import UserError
from playground.albums.album import ALL, AlbumError
from playground.albums.service import ALBUMS
from playground.canvas.edit import Pick
from playground.canvas.view import SUGGESTIONS
from playground.data.image_ref import ImageRef
from playground.data.picture import key_in_album
from playground.events import album as module
from playground.events.album import act, own_album, show_next, show_own, show_upload
from playground.pipeline.proposals import PictureSummary
from playground.server.album_state import build_album_panel
from playground.server.render import view_of
from playground.state import looking
from playground.state.own_picture import change_class, draw_own, require_own
from playground.state.page_state import NOT_SHARED, PageState, admit
from playground.state.settings import settings_of
from playground.steps.picture import build_view
from tests.playground.made_albums import albums_at

ANNA, BERT = "anna", "bert"
SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}
EMPTY: dict[str, list] = {"boxes": [], "classes": [], "rejected": []}
BOX = {"x1": 10, "y1": 20, "x2": 40, "y2": 60, "label": 0}


@pytest.fixture(autouse=True)
def albums(tmp_path: Path) -> Iterator[Path]:
    with albums_at(tmp_path / "albums"):
        yield tmp_path


def start(folder: Path, count: int = 3, visitor: str = ANNA) -> PageState:
    """A state that shows the first of some pictures."""
    for number in range(count):
        Image.new("RGB", (96, 96), (number * 20, 90, 40)).save(folder / f"p{number}.png")
        ALBUMS.add(visitor, folder / f"p{number}.png", f"p{number}.png")
    state = PageState("picture", settings=settings_of(Config.from_flat(SMALL)), visitor=visitor)
    return show_own(state, own_album(state), 0)


def draw(state: PageState, *boxes: dict, names: tuple[str, ...] = ("cell",)) -> PageState:
    fields = {"boxes": list(boxes), "classes": list(names), "rejected": []}
    return state._replace(user_picture=draw_own(fields, state.pipeline(), state.visitor))


def press(state: PageState, action: object, value: object) -> tuple[PageState, str]:
    """Presses a button of the panel while the picture on show is in it."""
    return act(state, action, value, state.pipeline().picture.pixels_key)


def index(state: PageState) -> int:
    return require_own(state.image_ref(), state.visitor)[1]


def test_an_uploaded_picture_is_shown_and_has_an_address(albums: Path) -> None:
    state = start(albums)
    album = own_album(state)
    third = key_in_album(album, 2)
    ALBUMS.remove(ANNA, 1)
    assert index(show_upload(state, third, None, None)) == 1  # wherever it is now
    ALBUMS.restore_picture(ANNA)
    state = show_upload(state, third, None, None)
    assert state.image_ref() == ImageRef(album.key, ALL, 2) and index(state) == 2
    for wrong in (3, -1, True, "0", [0], f"{album.key}/no.png"):
        with pytest.raises(UserError):
            show_upload(state, wrong, None, None)


def test_a_picture_that_could_not_be_saved_is_shown_without_an_album(
    albums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gr.utils, "get_upload_folder", lambda: str(albums))
    path = albums / "hash" / ("0" * 32)
    path.parent.mkdir()
    Image.new("RGB", (96, 64)).save(path, "PNG")
    state = PageState("picture", pick=Pick(10, 10), settings=settings_of(Config.from_flat(SMALL)))
    shown = show_upload(state, None, str(path), "mine.png")
    assert shown.pick is None  # else the next event would report on the click again
    assert shown.user_picture and shown.user_picture.picture.name == "mine.png" and shown.image_ref() is None
    with pytest.raises(UserError):
        show_upload(state, None, "/etc/hostname", "x")


def test_every_stroke_is_saved_with_its_classes(albums: Path) -> None:
    state = draw(start(albums), BOX, {**BOX, "label": 2, "x1": 50, "x2": 90}, names=("cell", "unused", "dot"))
    stored = own_album(state).pictures[0]
    assert own_album(state).class_names == ("cell", "dot") and stored.labels == (0, 1) and stored.labelled
    assert stored.boxes[0] == pytest.approx((10, 20, 40, 60), abs=0.1)
    again = show_own(state, own_album(state), 0)
    assert again.user_picture and state.user_picture
    assert again.user_picture.picture.objects_key == state.user_picture.picture.objects_key
    assert not own_album(draw(state)).pictures[0].labelled  # all boxes deleted: it is no negative picture by itself


def test_classes_are_renamed_recoloured_and_merged(albums: Path) -> None:
    state = draw(start(albums), BOX, {**BOX, "label": 1}, names=("cell", "dot"))
    for action, value in (("rename", "Zelle"), ("recolour", "#123456"), ("merge", 1)):
        fields = {"action": action, "index": 0, "value": value, "classes": list(own_album(state).class_names)}
        changed = change_class(fields, state.pipeline(), ANNA)
        state = state._replace(user_picture=changed)
    assert own_album(state).class_names == ("dot",) and own_album(state).pictures[0].labels == (0, 0)
    assert changed.picture.class_names == ("dot",)
    with pytest.raises(UserError, match="no such class"):
        change_class({"action": "rename", "index": 5, "value": "x", "classes": ["dot"]}, state.pipeline(), ANNA)


def test_a_picture_is_found_again_after_another_tab_has_removed_or_labelled_others(albums: Path) -> None:
    state = show_own(start(albums), ALBUMS.of(ANNA), 2)  # type: ignore[arg-type]  # there is an album
    ALBUMS.remove(ANNA, 0)
    state, message = admit(state)
    assert (index(state), message) == (1, "")
    draw(state, BOX)
    assert [(each.title, len(each.boxes)) for each in own_album(state).pictures] == [("p1.png", 0), ("p2.png", 1)]
    ALBUMS.mark_empty(ANNA, 0)
    in_split = state._replace(user_picture=draw_own(EMPTY, state.pipeline(), ANNA))
    reference = ImageRef(own_album(state).key, "train", 0)
    assert in_split.user_picture
    shown = in_split._replace(user_picture=in_split.user_picture._replace(image_ref=reference))  # p1 is there now
    assert admit(shown)[0].image_ref() == ImageRef(reference.source, ALL, 1)


def test_a_picture_that_another_tab_has_removed_is_not_drawn_on(albums: Path) -> None:
    state = start(albums)
    ALBUMS.remove(ANNA, 0)
    state, message = admit(state)
    assert state.image_ref() is None and message == NOT_SHARED
    with pytest.raises(AlbumError):
        draw(state, BOX)
    assert not any(each.labelled for each in own_album(state).pictures)


def test_a_class_is_not_changed_if_another_tab_has_changed_the_classes(albums: Path) -> None:
    state = draw(start(albums), BOX, {**BOX, "label": 1, "x1": 50, "x2": 90}, names=("cell", "dot"))
    ALBUMS.merge_classes(ANNA, 0, 1)
    with pytest.raises(UserError, match="in another tab"):
        change_class({"action": "rename", "index": 0, "value": "x", "classes": ["cell", "dot"]}, state.pipeline(), ANNA)
    assert own_album(state).class_names == ("dot",)


def test_what_another_visitor_owns_cannot_be_changed(albums: Path) -> None:
    anna = start(albums)
    ALBUMS.share(ANNA, True)
    bert = anna._replace(visitor=BERT)
    for attempt in (lambda: draw(bert, BOX), lambda: press(bert, "empty", None), lambda: act(bert, "delete", None)):
        with pytest.raises(UserError):
            attempt()
    assert not build_view(bert.pipeline(), bert.focus()).editable
    panel = build_album_panel(bert, bert.pipeline())
    assert '"mine": false' in panel and "only their owner can change them" in panel
    assert not own_album(anna).pictures[0].labelled


def test_the_actions_of_the_panel(albums: Path) -> None:
    state, said = press(start(albums), "empty", None)
    assert own_album(state).pictures[0].labelled and not own_album(state).pictures[0].boxes
    state, _ = press(state, "split", "test")
    assert own_album(state).pictures[0].used_in == "test"
    state, _ = act(state, "share", True)
    assert own_album(state).shared
    state, _ = act(state, "share", "no")
    assert not own_album(state).shared
    state, said = press(state, "remove", None)
    assert "p0.png has been removed" in said
    assert [each.title for each in own_album(state).pictures] == ["p1.png", "p2.png"]
    assert '"undo": "Put the removed picture back"' in build_album_panel(state, state.pipeline())
    state, _ = act(state, "undo", None)
    assert own_album(state).pictures[0].title == "p0.png" and index(state) == 0
    state, _ = act(state, "suggest", True)
    state, _ = act(state, "above", 0.3)
    assert state.suggesting == (0.3, True)


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("fly", None),
        (None, None),
        (["empty"], None),
        ("split", "nowhere"),
        ("above", "x"),
        ("above", 2),
        ("above", True),
    ],
)
def test_what_the_panel_cannot_do_is_refused(albums: Path, action: object, value: object) -> None:
    with pytest.raises(UserError):
        press(start(albums), action, value)


def test_removing_the_last_picture_shows_a_scene(albums: Path) -> None:
    state, _ = press(start(albums, count=1), "remove", None)
    assert state.user_picture is None
    with pytest.raises(AlbumError, match="no pictures here yet"):
        act(state, "show", None)


def test_everything_is_deleted_and_put_back(albums: Path) -> None:
    state = draw(start(albums), BOX)
    key = own_album(state).key
    state, said = act(state, "delete", None)
    assert "have been deleted" in said and ALBUMS.of(ANNA) is None and state.image_ref() is None
    panel = json.loads(build_album_panel(state, state.pipeline()))
    assert (panel["undo"], panel["deleted"]) == ("Put my pictures back", key)
    assert '"undo": ""' in build_album_panel(state._replace(visitor=BERT), state.pipeline())
    ALBUMS.add(ANNA, albums / "p0.png", "new")
    with pytest.raises(AlbumError, match="delete them first"):  # not what has been deleted in another window since
        act(state, "undo", key)
    ALBUMS.delete_all(ANNA)
    state, _ = act(state, "undo", key)
    assert own_album(state).key == key and own_album(state).pictures[0].labelled and index(state) == 0


def test_the_next_picture_is_the_next_unlabelled_one_or_the_least_sure(
    albums: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = draw(start(albums, count=4), BOX)
    assert index(show_next(state, lambda done, total: None)) == 1
    doubts = {"p1.png": 0.1, "p2.png": 0.7, "p3.png": 0.4}
    monkeypatch.setattr(module, "known_classes", lambda *names: ("cell",))
    monkeypatch.setattr(looking, "is_summarised", lambda *given: False)
    monkeypatch.setattr(
        looking, "summarise", lambda key, config, opens: PictureSummary(Counter(), doubts[opens().name])
    )
    seen: list[tuple[int, int]] = []
    shown = show_next(state, lambda done, total: seen.append((done, total)))
    assert index(shown) == 2 and seen == [(1, 3), (2, 3), (3, 3)]
    monkeypatch.setattr(module, "MAX_SECONDS", -1.0)
    first = key_in_album(own_album(state), 1)
    monkeypatch.setattr(looking, "is_summarised", lambda key, config: key == first)
    assert index(show_next(state, lambda done, total: None)) == 1  # no time for the others
    for number in (1, 2, 3):
        ALBUMS.mark_empty(ANNA, number)
    with pytest.raises(AlbumError, match="labelled"):
        show_next(state, lambda done, total: None)


def test_suggestions_appear_where_no_box_is_and_can_be_switched(albums: Path) -> None:
    state = draw(start(albums), BOX)
    state = state._replace(settings=settings_of(state.config().replace({"inference.score_threshold": 0.001})))
    off = build_view(state.pipeline(), state.focus())
    assert [layer.key for layer in off.layers] == ["truth"]  # these weights know none of the classes
    assert off.editing and off.editing.classes == ("cell",)
    state, _ = act(act(state, "suggest", True)[0], "above", 0.0)
    view = view_of(state.pipeline(), build_view(state.pipeline(), state.focus()))
    assert [layer.key for layer in view.layers] == ["truth", SUGGESTIONS]
    suggested = view.layers[1]
    assert suggested.labels is not None and len(suggested.boxes) and suggested.values is not None
    assert view.classes[0] == "cell" and view.free_classes and len(view.class_colours) == len(view.classes)
    assert set(suggested.labels.tolist()) <= set(range(1, len(view.classes)))

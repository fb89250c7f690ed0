"""What was aimed at one picture while another one came on show: it changes that one, or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.albums.service import ALBUMS
from playground.data.image_ref import ImageRef
from playground.data.picture import key_in_album
from playground.events.album import act, own_album, show_own
from playground.events.picture import draw, show_image
from playground.state.aim import MISSED, change_picture, is_on_show
from playground.state.own_picture import change_class, require_own
from playground.state.page_state import PageState
from tests.playground.events.test_album import ANNA, BERT, BOX, start
from tests.playground.made_albums import albums_at

FIELDS: dict[str, list] = {"boxes": [BOX], "classes": ["cell"], "rejected": []}


@pytest.fixture(autouse=True)
def albums(tmp_path: Path) -> Iterator[Path]:
    with albums_at(tmp_path / "albums"):
        yield tmp_path


def draw_box(aimed: PageState) -> tuple[PageState, str]:
    return aimed._replace(user_picture=draw(aimed, FIELDS)), ""


def counts(state: PageState) -> list[int]:
    return [len(each.boxes) for each in own_album(state).pictures]


def gone_on(folder: Path) -> tuple[PageState, str]:
    """A state that shows the second of three pictures, and the key of the first, which the visitor still sees."""
    before = start(folder)
    album = own_album(before)
    return show_own(before, album, 1), key_in_album(album, 0)


def test_boxes_are_saved_on_the_picture_they_were_drawn_on(albums: Path) -> None:
    state, first = gone_on(albums)
    after, said = change_picture(state, first, draw_box)
    assert counts(state) == [1, 0, 0] and said == ""
    assert require_own(after.image_ref(), ANNA)[1] == 1 and not len(after.pipeline().objects[0])
    assert after.pipeline().picture.class_names == ("cell",)  # the class is on offer on the picture on show, too
    again, _ = change_picture(after, key_in_album(own_album(after), 1), draw_box)
    assert counts(again) == [1, 1, 0] and len(again.pipeline().objects[0]) == 1


def test_a_box_drawn_on_ones_own_picture_is_saved_while_a_scene_is_on_show(albums: Path) -> None:
    state, first = gone_on(albums)
    after, said = change_picture(show_image(state, None), first, draw_box)
    assert counts(state) == [1, 0, 0] and said == "" and after.user_picture is None


def test_classes_are_changed_from_a_picture_that_is_no_longer_on_show(albums: Path) -> None:
    state, first = gone_on(albums)
    state, _ = change_picture(state, first, draw_box)

    def rename(aimed: PageState) -> tuple[PageState, str]:
        fields = {"action": "rename", "index": 0, "value": "Zelle", "classes": ["cell"]}
        return aimed._replace(user_picture=change_class(fields, aimed.pipeline(), ANNA)), ""

    after, _ = change_picture(state, first, rename)
    assert own_album(after).class_names == ("Zelle",) == after.pipeline().picture.class_names


def test_the_panel_acts_on_the_picture_that_it_was_about(albums: Path) -> None:
    state, first = gone_on(albums)
    state, _ = act(state, "empty", None, first)
    assert [each.labelled for each in own_album(state).pictures] == [True, False, False]
    state, _ = act(state, "split", "test", first)
    assert [each.split for each in own_album(state).pictures] == ["test", "", ""]
    state, said = act(state, "remove", None, first)
    assert [each.title for each in own_album(state).pictures] == ["p1.png", "p2.png"] and "p0.png" in said
    assert require_own(state.image_ref(), ANNA)[1] == 0  # p1.png stays on show


@pytest.mark.parametrize("key", [None, 3, ["x"], "", "my-nothing/x.png"])
def test_what_was_meant_for_a_picture_that_is_gone_changes_nothing(albums: Path, key: object) -> None:
    state, _ = gone_on(albums)
    assert not is_on_show(state, key)
    assert change_picture(state, key, draw_box) == (state, MISSED)
    assert act(state, "empty", None, key) == (state, MISSED)
    assert not own_album(state).labelled


def test_a_drawing_on_a_scene_or_on_somebody_elses_picture_is_not_kept_once_it_is_gone(albums: Path) -> None:
    state, first = gone_on(albums)
    scene = show_image(state, None).pipeline().picture.pixels_key
    assert change_picture(state, scene, draw_box) == (state, MISSED)
    ALBUMS.share(ANNA, True)
    bert = show_image(state._replace(visitor=BERT), ImageRef(own_album(state).key, "all", 1))
    assert change_picture(bert, first, draw_box) == (bert, MISSED) and counts(state) == [0, 0, 0]

"""Links to what is private: it is left out with a sentence, and the rest of the link is followed."""

from urllib.parse import urlencode

import pytest

from playground.albums.service import ALBUMS
from playground.events.navigation import open_link
from playground.runs.service import RUNS
from playground.server.private_links import drop_private
from playground.state.page_state import PageState, admit
from tests.playground.made_albums import albums_at, fill_album, training_folder
from tests.playground.made_runs import evaluation, make_run, runs_at, step

ANN, BOB = "a" * 32, "b" * 32
RUN = "20260101-000000-001"


@pytest.fixture
def key(tmp_path):
    """Ann's album, with a run on it."""
    with albums_at(tmp_path / "albums"), runs_at(tmp_path / "runs"):
        album = fill_album(ANN, tmp_path)
        run = make_run(RUNS.root / RUN, {}, [step(1), evaluation(1, 0.5)])
        run.weights.write_bytes(b"weights")
        run.write_about(run.read_about()._replace(source=str(training_folder(ALBUMS, album))))
        yield album.key


def test_the_owner_follows_the_whole_link(key):
    opened = open_link(f"step=loss&data={key}/all/2&run={RUN}&loss.gamma=3", visitor=ANN)
    assert opened.message == "" and opened.state.user_picture.picture.name == "secret title"
    assert opened.state.user_picture.image_ref.index == 1 and opened.state.run == RUN


@pytest.mark.parametrize("visitor", [BOB, ""])
def test_others_are_told_and_follow_the_rest(key, visitor):
    weights = str(RUNS.folder(RUN).weights)
    for values, words in (
        ({"data": f"{key}/all/2"}, "The picture of the link is not on show. These pictures are private"),
        ({"pinned": "loss.gamma=1", "pinned_data": f"{key}/val/1"}, "These pictures are private"),
        ({"run": RUN}, "The run of the link was trained on private pictures."),
        ({"model.weights": weights}, "The weights of the link were trained on private pictures."),
        ({"pinned": urlencode({"model.weights": weights})}, "The settings that the link pins"),
    ):
        opened = open_link(urlencode({"step": "loss", **values, "loss.gamma": "3"}), visitor=visitor)
        assert words in opened.message and "secret" not in opened.message and str(RUNS.root) not in opened.message
        assert opened.state.step == "loss" and opened.state.config().loss.gamma == 3
        assert opened.state.user_picture is opened.state.pinned_picture is None and opened.state.run == ""
    ALBUMS.share(ANN, True)
    opened = open_link(f"step=loss&data={key}/all/2&run={RUN}", visitor=visitor)
    assert opened.message == "" and opened.state.run == RUN


def test_what_was_on_show_is_hidden_once_it_is_no_longer_shared(key):
    ALBUMS.share(ANN, True)
    state = open_link(f"data={key}/all/2", visitor=BOB).state._replace(run=RUN)
    assert admit(state) == (state, "")
    ALBUMS.share(ANN, False)
    hidden, message = admit(state)
    assert hidden.user_picture is None and hidden.run == "" and "no longer shared" in message
    assert admit(state._replace(visitor=ANN))[1] == ""


@pytest.mark.parametrize(
    "query", ["", "data=mine/train/1", "data=nonsense", "run=none", "model.weights=imagenet", "model.weights=a%00b/c",
              "model.weights=" + "x" * 5000 + "/y", "pinned=%00", "a=" + "x" * 200_000]
)  # fmt: skip
def test_other_links_stay_as_they_are(key, query):
    assert drop_private(query, BOB) == (query, "")


def test_a_state_of_one_visitor_is_not_found_by_another(key):
    from playground.server.live_api import answer
    from playground.server.tokens import TOKENS

    state = PageState("picture", visitor=ANN)
    token, fields = TOKENS.issue(state), {"settings": "{}", "curve": "loss", "p_t": 0.9, "frame": 1, "dials": ""}
    sent = {"token": token, **fields, "switched": {}}
    assert list(answer(sent, BOB)) == list(answer(sent, "")) == [{"forgotten": True}]
    assert next(answer(sent, ANN)).get("forgotten") is None

"""Train on my pictures: what the button starts, and what the page says and uses once the run has ended."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from core.config import Config
from core.experiments.recipes import FEW_PICTURES, RECIPES
from core.runs.about import About
from core.runs.folder import FINISHED, QUEUED, RUNNING, STOPPED, RunFolder
from playground.albums.album import ALL, Album, AlbumError
from playground.albums.export import TOO_FEW
from playground.albums.service import ALBUMS
from playground.data.image_ref import ImageRef
from playground.data.sources import measure_first
from playground.events import navigation, teaching
from playground.events.album import connect_album
from playground.events.navigation import connect_address
from playground.events.picture import connect_picture
from playground.events.teaching import connect_teaching, start_teaching, teaching_config
from playground.events.training import RunList, connect_training, has_ended, keep_end, list_runs, poll_runs
from playground.layout.layout import lay_out
from playground.pipeline.proposals import PictureSummary
from playground.runs.service import RUNS
from playground.server.opening import follow_link
from playground.server.poll import FOLLOWED
from playground.state import looking, taught
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.teaching import describe_held_out, describe_teaching, training_source
from tests.playground.made_albums import albums_at
from tests.playground.made_runs import make_run, runs_at, step

ANNA, BERT = "anna", "bert"


@pytest.fixture
def album(tmp_path: Path) -> Iterator[Album]:
    """Anna's album of three pictures, of which two are labelled."""
    with albums_at(tmp_path / "albums"):
        for number in range(3):
            Image.new("RGB", (64, 64), (number, 0, 0)).save(tmp_path / "a.png")
            ALBUMS.add(ANNA, tmp_path / "a.png", f"{number}.png")
        ALBUMS.set_objects(ANNA, 0, [(1, 2, 30, 40)], [0], ["cat"])
        yield ALBUMS.mark_empty(ANNA, 1)


def test_the_button_starts_the_recipe_on_the_labelled_pictures(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def start(config: Config, source: str, owner: str, *, format: str, recipe: str) -> str:
        started.append((config, Path(source), owner, format, recipe))
        return "run-1"

    monkeypatch.setattr(RUNS, "start", start)
    state = start_teaching(PageState("picture", visitor=ANNA))
    (config, folder, owner, form, recipe), *others = started
    assert (owner, form, recipe, others) == (ANNA, "coco", FEW_PICTURES, [])
    assert folder.is_relative_to(ALBUMS.folder / album.key)
    judged = {**RECIPES[FEW_PICTURES].changes, "training.early_stopping": 0}  # by one held-out picture: not at all
    assert config.to_flat().items() >= judged.items()
    assert state.settings == settings_of(config) and (state.step, state.run) == ("training", "run-1")
    assert state.image_ref() == ImageRef(album.key, ALL, 0)  # Evaluation and the words of the step are about it


def test_a_run_is_judged_by_the_pictures_of_the_album_not_by_scenes(album: Album) -> None:
    assert measure_first(ALBUMS.open_split(album.key, "train", ANNA), Config().scenes) == (64, 64)


def test_too_few_labelled_pictures_are_refused_in_one_sentence(album: Album) -> None:
    ALBUMS.set_objects(ANNA, 0, [], [], [])
    with pytest.raises(AlbumError) as error:
        start_teaching(PageState("picture", visitor=ANNA))
    assert str(error.value) == TOO_FEW
    with pytest.raises(AlbumError, match="no pictures here yet"):
        start_teaching(PageState("picture", visitor=BERT))


def test_training_starts_again_from_weights_that_are_not_of_a_run() -> None:
    kept = teaching_config(Config.from_flat({"model.weights": "random", "training.seed": 7}), held_out=4)
    assert kept.model.weights == "random" and kept.training.seed == 7
    again = teaching_config(Config.from_flat({"model.weights": "runs/x/weights.safetensors"}), held_out=3)
    assert (kept.training.early_stopping, again.training.early_stopping) == (2, 0)
    assert again.model.weights == teaching.START == "builtin"


@pytest.mark.parametrize(
    ("before", "now", "ended"),
    [
        (RunList(run="a", state=RUNNING), RunList(run="a", state=FINISHED), True),
        (RunList(run="a", state=QUEUED), RunList(run="a", state=FINISHED), True),
        (RunList(run="b", state=RUNNING), RunList(run="a", state=FINISHED), False),  # another one is chosen
        (RunList(run="a", state=FINISHED), RunList(run="a", state=FINISHED), False),
        (RunList(run="a", state=RUNNING), RunList(run="a", state=STOPPED), False),  # by the visitor, on purpose
        (RunList(), RunList(run="a", state=FINISHED), False),
    ],
)
def test_a_run_ends_only_once_while_it_is_on_show(before: RunList, now: RunList, ended: bool) -> None:
    assert has_ended(before, now) is ended


@pytest.mark.slow
def test_edits_that_wait_come_before_the_run_and_the_download_that_use_them() -> None:
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_album(page)
        connect_picture(page)
        connect_teaching(page, connect_training(page))
    panel, canvas = page.parts["album"], page.parts["canvas"]
    ids = [(panel, "teach"), (panel, "download"), (panel, "select"), (canvas, "edit"), (canvas, "classes")]
    events = [each for part, name in ids for each in blocks.fns.values() if (part._id, name) in each.targets]
    assert [(each.queue, each.concurrency_id, each.concurrency_limit) for each in events] == [(True, "picture", 1)] * 5
    assert [each.trigger_mode for each in events[:2]] == ["once"] * 2  # a double click starts no second run


def make_taught_run(root: Path, album: Album) -> RunFolder:
    """A finished run of Anna's on her pictures, which took 48 s."""
    run = make_run(root / "runs" / "20260101-000000-001", {"model.weights": "random"}, [step(1)])
    source = ALBUMS.folder / album.key / "training-1"
    created = json.loads(run.status.read_text())["since"] - 48
    run.about.write_text(json.dumps(About(str(source), created, owner=ANNA).to_dict()))
    return run


def test_a_run_on_ones_own_pictures_is_followed_until_it_has_ended(album: Album, tmp_path: Path) -> None:
    run = make_taught_run(tmp_path, album)
    with runs_at(tmp_path / "runs"):
        anna, bert = (PageState("detections", run=run.path.name, visitor=visitor) for visitor in (ANNA, BERT))
        with run.acquire_lock():
            run.write_status(RUNNING)
            running, others = poll_runs(anna), poll_runs(bert)
        assert running.controls.startswith(FOLLOWED) and (running.soon, running.event) == (True, "tick")
        assert not others.controls.startswith(FOLLOWED) and others.event == "tick"
        run.write_status(FINISHED)
        ended, others = poll_runs(anna), poll_runs(bert)
    assert not ended.controls.startswith(FOLLOWED) and ended.event == "end"
    assert not others.controls.startswith(FOLLOWED) and others.event == "tick"


def test_an_event_that_meets_the_end_of_a_run_leaves_it_to_the_poll(album: Album, tmp_path: Path) -> None:
    run = make_taught_run(tmp_path, album)
    with runs_at(tmp_path / "runs"):
        anna, bert = (PageState("training", run=run.path.name, visitor=visitor) for visitor in (ANNA, BERT))
        with run.acquire_lock():
            run.write_status(RUNNING)
            before = list_runs(anna)
        run.write_status(FINISHED)
        now = list_runs(anna)
        kept = keep_end(before, now, anna)
        assert kept == now._replace(state=RUNNING) and has_ended(kept, now)
        assert keep_end(kept, now, anna) == kept  # however many events come before the end is shown
        assert keep_end(now, now, anna) == now == keep_end(RunList(), now, anna)
        assert keep_end(before, now, bert) == now  # who is not followed


def test_a_link_without_a_run_keeps_the_one_that_is_followed(
    album: Album, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RUNS, "open", lambda: None)  # nobody is to train what waits
    run, others = make_taught_run(tmp_path, album), make_run(tmp_path / "runs" / "20260101-000000-002", {}, [step(1)])
    run.write_status(QUEUED)
    others.write_status(RUNNING)
    with runs_at(tmp_path / "runs"), others.acquire_lock():
        own, theirs = run.path.name, others.path.name
        for query in ("step=detections", "step=training&run=gone"):
            assert [follow_link(query, visitor=each).state.run for each in (ANNA, BERT)] == [own, theirs]
        assert follow_link(f"step=training&run={theirs}", visitor=ANNA, run=own).state.run == theirs
        run.write_status(FINISHED)
        assert follow_link("", visitor=ANNA, run=own).state.run == own  # whose end is not on show yet
        assert follow_link("", visitor=ANNA).state.run == follow_link("", visitor=BERT, run=own).state.run == theirs


@pytest.mark.slow
def test_a_run_that_ends_after_the_page_was_opened_or_went_back_is_announced(
    album: Album, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(navigation, "visitor_of", lambda request: ANNA)
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        holders = connect_training(page)
        connect_address(page, blocks, holders)
    (load,) = (each.fn for each in blocks.fns.values() if each.targets == [(blocks._id, "load")])
    (go_back,) = (each.fn for each in blocks.fns.values() if (page.parts["strip"]._id, "edit") in each.targets)
    query = "step=network&model.weights=random&inference.image_size=96"
    run, request = make_taught_run(tmp_path, album), SimpleNamespace(query_params=query)
    with runs_at(tmp_path / "runs"):
        with run.acquire_lock():
            run.write_status(RUNNING)
            shown = [load([], request)]
        run.write_status(FINISHED)
        last = shown[0][holders.listed]
        shown.append(go_back(gr.EventData(None, {"query": query}), request, [], last, None, None))
    for updates in shown:
        assert updates[holders.polling].startswith(FOLLOWED) and updates[holders.listed].state == RUNNING
        assert updates[page.controls.training.run].value == run.path.name


def test_the_weights_of_a_run_are_used_once_it_has_ended(
    album: Album, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_taught_run(tmp_path, album)
    run.weights.write_bytes(b"")
    monkeypatch.setattr(taught, "describe_found", lambda state, album: "Detections.")
    with runs_at(tmp_path / "runs"):
        state = PageState("training", run=run.path.name, visitor=ANNA)
        assert taught.taught_album(state) == album and taught.taught_album(state._replace(visitor=BERT)) is None
        assert taught.taught_album(state._replace(run="")) is None
        used, said = taught.use_taught(state, album)
    assert said.startswith("Taught in 48 s: 1 class from 1 picture. All steps use these weights now. Detections. AP on")
    assert json.loads(used.settings)["model.weights"] == f"run/{run.path.name}"


def test_a_lesson_keeps_its_weights_when_a_run_ends_and_says_how_to_use_the_new_ones(album: Album) -> None:
    state = PageState("loss", run="20260101-000000-001", lesson="focal-loss.1", visitor=ANNA)
    unchanged, said = taught.use_taught(state, album)
    assert unchanged == state
    assert "The lesson keeps its own weights" in said and f"“{taught.USE_WEIGHTS}” in the Training step" in said


def test_what_the_weights_find_is_counted_as_far_as_time_allows(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    found = PictureSummary(Counter({"cat": 2}), 0.1)
    monkeypatch.setattr(looking, "summarise", lambda key, config, opens: found)
    monkeypatch.setattr(looking, "is_summarised", lambda *given: False)
    state = PageState("training", visitor=ANNA)
    assert "in all your 3 pictures: cat 6." in taught.describe_found(state, album)
    monkeypatch.setattr(taught, "MAX_SECONDS", -1.0)
    assert "in 0 of your 3 pictures: none." in taught.describe_found(state, album)


def test_words_on_training_and_on_few_held_out_pictures(album: Album) -> None:
    assert describe_teaching(album) == "Trains on 1 labelled picture; 1 held out to measure it."
    assert describe_teaching(album._replace(pictures=album.pictures[:1])) == TOO_FEW
    assert training_source(ImageRef(album.key, ALL), ANNA) == "your 2 labelled pictures"
    ALBUMS.share(ANNA, True)
    assert training_source(ImageRef(album.key, ALL), BERT) == "2 labelled pictures that somebody shared"
    assert training_source(None, ANNA) == "" == training_source(ImageRef("other", "train"), ANNA)
    assert "AP on 3 held-out pictures tells" in describe_held_out(3) and describe_held_out(20) == ""
    assert "not measured" in describe_held_out(0)

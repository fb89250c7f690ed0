"""The search for rescues over the pictures of an evaluation: its queue, its bounds, and its table on the page."""

import threading

import pytest

from core.config import Config, ConfigError
from core.errors import PictureError, UserError
from core.rescue.change import Change
from core.rescue.moves import Move
from core.rescue.totals import KindOfFault, SetRescues, Tried
from playground.data.image_ref import ImageRef
from playground.data.picture import render_picture
from playground.evaluations import search
from playground.evaluations.bounds import RESCUE_GFLOPS, limit_passes
from playground.evaluations.jobs import Evaluations
from playground.evaluations.keys import MAX_SEARCHED, evaluation_key, limit_pictures, search_key
from playground.evaluations.status import FAILED, FINISHED, RUNNING, STOPPED, WAITING, JobStatus
from playground.events import evaluation as events
from playground.events.evaluation import follow_link, poll_evaluation
from playground.inspector import rescues
from playground.inspector.rescue_report import HERE_ONLY, build_list
from playground.inspector.rescues import find, find_over_set
from playground.pipeline.pipeline import Pipeline
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.evaluation import step
from playground.steps.evaluation.rescues import TITLE, search_part
from playground.support.visitors import VISITORS, NotYoursError
from tests.playground.evaluations.test_jobs import wait

SMALL = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 0,
    "inference.image_size": 64,
    "inference.score_threshold": 0.0,
    "inference.max_detections": 4,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "training.eval_images": 2,
}
CONFIG = Config.from_flat(SMALL)
LOWER, HIGHER = Move("inference.score_threshold", 0.04, 1), Move("inference.nms_threshold", 0.52, 2)
FOUND = SetRescues(
    3,
    (
        KindOfFault(
            "missed", 4, 3, {"inference.score_threshold": 2, "inference.nms_threshold": 1},
            (Tried(LOWER, 0.05, {"missed": 2}, Change(2, 0, 0, 3)), Tried(HIGHER, 0.5, {"missed": 1}, Change(1))),
        ),
        KindOfFault("location", 1, 0, {}, ()),
    ),
    (),
    ("inference.image_size",),
)  # fmt: skip


@pytest.fixture
def evaluations(monkeypatch) -> Evaluations:
    made = Evaluations()
    for module in (step, rescues, events):
        monkeypatch.setattr(module, "EVALUATIONS", made)
    return made


@pytest.fixture
def gate(monkeypatch) -> threading.Semaphore:
    """Holds searches back: each release lets one do one more picture, in which it tries nothing."""
    gate = threading.Semaphore(0)

    def gated(search, model, names, data, *_):
        for done in range(1, 3):
            assert gate.acquire(timeout=120)
            data[done - 1]
            yield done

    monkeypatch.setattr(search, "search_set", gated)
    return gate


def state() -> PageState:
    return PageState("evaluation", settings=settings_of(CONFIG))


@pytest.mark.slow
def test_a_search_from_its_link_to_the_table_and_to_the_picture(evaluations):
    evaluations.start(CONFIG, None)
    wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    shown = render(state())
    assert TITLE in shown.more and 'data-choose="search start"' in shown.more
    here = Pipeline(render_picture(CONFIG.scenes), CONFIG)
    assert find_over_set(here) is None and HERE_ONLY in build_list(here, on=True)
    before = poll_evaluation(state())
    assert follow_link(state(), "search start") == state()
    status = wait(evaluations, search_key(CONFIG, None), lambda status: not status.active)
    assert (status.state, status.done, status.total) == (FINISHED, 2, 2) and status.result is None
    found = status.rescues
    assert found.pictures == 2 and found.kinds and poll_evaluation(state()).stamp != before.stamp
    best = next(each for kind in found.kinds for each in kind.best)
    assert f'data-choose="set {best.move.path} ' in render(state()).more
    listed = build_list(here, on=True)
    assert "objects, in 2" in listed and HERE_ONLY not in listed
    moves = [each.move for verdict in find(here).rescues.verdicts for each in verdict.rescues]
    assert any(found.find(move) for move in moves)


def test_a_search_waits_and_can_be_stopped_by_who_started_it(evaluations, gate, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    key = search_key(CONFIG, None)
    evaluations.start_search(CONFIG, None, "one")
    evaluations.start_search(CONFIG, None, "one")  # already active
    evaluations.start(CONFIG, None, "one")  # waits for it
    with pytest.raises(UserError, match="2 evaluations at a time"):
        evaluations.start_search(CONFIG.replace({"inference.nms_threshold": 0.3}), None, "one")
    with pytest.raises(NotYoursError):
        evaluations.stop(key, "two")
    gate.release()
    wait(evaluations, key, lambda status: status.done == 1)
    assert evaluations.read_status(evaluation_key(CONFIG, None)).state == WAITING
    assert evaluations.has_active()
    evaluations.stop(key, "one")
    evaluations.stop(evaluation_key(CONFIG, None), "one")
    gate.release()
    status = wait(evaluations, key, lambda status: not status.active)
    assert (status.state, status.done, status.total) in {(STOPPED, 1, 2), (FINISHED, 2, 2)}
    wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)


def test_what_a_search_may_take_is_bounded(evaluations, monkeypatch):
    assert limit_pictures(CONFIG).training.eval_images == 2
    for count in (0, MAX_SEARCHED, 10_000):
        assert limit_pictures(CONFIG.replace({"training.eval_images": count})).training.eval_images == MAX_SEARCHED
    assert limit_passes(1) == 12 and limit_passes(RESCUE_GFLOPS / 3) == pytest.approx(3) and limit_passes(0) == 12

    def refuse(*_):
        raise PictureError("The first picture takes too much.")

    monkeypatch.setattr("playground.evaluations.work.require_affordable_evaluation", refuse)
    with pytest.raises(PictureError, match="takes too much"):
        evaluations.start_search(CONFIG, None)


def test_an_error_ends_a_search_with_a_sentence(evaluations, monkeypatch):
    def broken(*_):
        raise PictureError("a.png cannot be opened: copy it again.")

    monkeypatch.setattr(search, "search_set", broken)
    evaluations.start_search(CONFIG, None)
    status = wait(evaluations, search_key(CONFIG, None), lambda status: not status.active)
    assert status.state == FAILED
    text = search_part(status)
    assert "The search failed. a.png cannot be opened: copy it again." in text and "search start" in text


def test_the_key_knows_everything_that_a_search_depends_on():
    keys = [
        search_key(CONFIG, None),
        search_key(CONFIG.replace({"inference.score_threshold": 0.3}), None),  # the page's, unlike an evaluation's
        search_key(CONFIG.replace({"inference.nms_threshold": 0.3}), None),
        search_key(CONFIG.replace({"training.eval_images": 3}), None),
        search_key(CONFIG, ImageRef("scenes", "test")),
        evaluation_key(CONFIG, None),
    ]
    assert len(set(keys)) == len(keys)
    many = [CONFIG.replace({"training.eval_images": count}) for count in (MAX_SEARCHED, 1000)]
    assert search_key(many[0], None) == search_key(many[1], None)


def test_the_table_of_a_search():
    text = search_part(JobStatus(FINISHED, 4, 4, rescues=FOUND))
    rows = [row.split("<td>")[1:] for row in text.split("<tr>")[1:]]
    cells = [[cell.split("</td>")[0] for cell in row] for row in rows if row]
    assert cells[0][0] == "2 of 4 missed" and 'data-choose="set inference.score_threshold 0.04"' in cells[0][1]
    assert cells[0][2:] == ["+2", "+3"] and cells[1][0] == "or 1" and cells[1][2:] == ["+1", "±0"]
    assert cells[2] == ["0 of 1 badly placed", "none that was tried", "", ""]
    assert "<li>missed: 3 of 4, by “Score threshold” 2, “NMS threshold” 1</li><li>badly placed: 0 of 1</li>" in text
    assert "3 pictures, 0 other values. 1 picture could not be used." in text
    assert "Not all values were tried of “Shorter side”" in text


def test_a_search_without_usable_pictures_tells_nothing_of_a_change(monkeypatch):
    for found, shown in ((SetRescues(0, (), (), ()), None), (FOUND, FOUND), (None, None)):
        monkeypatch.setattr(rescues, "read_search", lambda _, found=found: JobStatus(STOPPED, 1, 2, rescues=found))
        assert find_over_set(None) is shown


def test_what_a_search_says_before_and_while_it_runs():
    assert f"at most {MAX_SEARCHED} pictures" in search_part(None)
    waiting = search_part(JobStatus(WAITING))
    assert (
        "waits for another evaluation or search" in waiting
        and "<i hidden data-said>The search: waiting.</i>" in waiting
    )
    running = search_part(JobStatus(RUNNING, 3, 9))
    assert "3 of 9 pictures searched" in running and 'data-choose="search stop"' in running
    stopped = search_part(JobStatus(STOPPED, 4, 9, rescues=FOUND))
    assert "3 pictures of 9" in stopped and 'data-choose="search start"' in stopped
    nothing = search_part(JobStatus(FINISHED, 1, 1, rescues=SetRescues(1, (), (), ())))
    assert "There is no fault" in nothing and "<table" not in nothing
    unusable = search_part(JobStatus(FINISHED, 2, 2, rescues=SetRescues(0, (), (), ())))
    assert "2 pictures could not be used." in unusable and "no fault" not in unusable
    with pytest.raises(ConfigError, match="started and stopped"):
        follow_link(state(), "search everything")

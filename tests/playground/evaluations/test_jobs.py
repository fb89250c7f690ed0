import json
import threading
import time

import plotly.graph_objects as go
import pytest
import torch

from core.config import Config, ConfigError
from core.data.sources import open_data
from core.data.untrusted import DataError
from core.errors import UserError
from core.evaluation import dataset_predictions as core_findings
from core.evaluation.coco_metrics import evaluate
from core.evaluation.dataset_predictions import ImageResult
from core.structures import Detections, GroundTruth
from core.weights.sources import WeightsError
from playground.canvas.canvas import payload
from playground.canvas.view import View
from playground.data.image_ref import ImageRef
from playground.evaluations import jobs
from playground.evaluations.jobs import FAILED, FINISHED, RUNNING, SCORE, STOPPED, WAITING, Evaluations, key_of
from playground.evaluations.query import FIGURES, EvaluationQuery, asked_for
from playground.evaluations.results import Evaluated, chosen_pictures, numbered_for, report_at
from playground.events.data import at_place, gone
from playground.events.evaluation import followed
from playground.pipeline.networks import network_of
from playground.server.permalink import from_link, to_link
from playground.server.render import show
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.evaluation import step
from playground.steps.evaluation.figures import figure
from playground.steps.evaluation.layers import layers

TINY = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 1,
    "inference.image_size": 64,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "training.eval_images": 6,
    "inference.score_threshold": 0.0,
}
CONFIG = Config.from_flat(TINY)
NAMES = ("cat", "dog")


def finding(boxes: list, scores: list, labels: list, objects: list, actual: list) -> ImageResult:
    found = Detections(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(scores, dtype=torch.float32),
        torch.tensor(labels, dtype=torch.int64),
    )
    truth = torch.tensor(objects, dtype=torch.float32).reshape(-1, 4)
    crowd = torch.zeros(len(objects), dtype=torch.bool)
    return ImageResult(found, GroundTruth(truth, torch.tensor(actual, dtype=torch.int64), crowd), 7)


HERE, THERE = [0.0, 0, 20, 20], [30.0, 30, 60, 60]


@pytest.fixture
def result() -> Evaluated:
    done = [
        finding([HERE, THERE], [0.9, 0.4], [0, 0], [HERE, THERE], [0, 1]),  # the dog is taken for a cat
        finding([HERE], [0.8], [1], [HERE], [1]),
        finding([THERE], [0.2], [1], [HERE], [0]),  # a missed cat, a dog that is none
    ]
    return Evaluated.of(done, ["a.png", "b.png", "c.png"], torch.arange(2), NAMES, 0.5)


def wait(runs: Evaluations, key, until, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not until(standing := runs.read(key)):
        assert time.monotonic() < deadline, standing
        time.sleep(0.02)
    return standing


@pytest.fixture
def runs(monkeypatch):
    made = Evaluations()
    monkeypatch.setattr(step, "EVALUATIONS", made)
    return made


@pytest.fixture
def slow(monkeypatch):
    """Lets an evaluation go on by a few pictures each time the event is set."""
    gate = threading.Semaphore(0)

    def gated(*arguments):
        for batch in core_findings.findings(*arguments):
            assert gate.acquire(timeout=30)
            yield batch

    monkeypatch.setattr(jobs, "findings", gated)
    return gate


def test_an_evaluation_from_start_to_report(runs):
    key = key_of(CONFIG, None)
    assert runs.read(key) is None
    runs.start(CONFIG, None)
    standing = wait(runs, key, lambda standing: not standing.active)
    assert (standing.state, standing.done, standing.total) == (FINISHED, 6, 6)
    assert len(standing.result.findings) == 6 and not runs.has_active()
    state = PageState("evaluation", settings=settings_of(CONFIG))
    assert "6 pictures of scenes, val" in show(state).readout
    assert (
        "Press Evaluate" in show(state._replace(settings=settings_of(CONFIG.replace({"anchors.size_p3": 20})))).readout
    )


def test_what_is_shown_is_what_the_library_reports(runs):
    runs.start(CONFIG, None)
    standing = wait(runs, key_of(CONFIG, None), lambda standing: not standing.active)
    data = open_data("scenes", "val", CONFIG.scenes, 6)
    done = [each for batch in core_findings.findings(network_of(CONFIG).model, data, CONFIG) for each in batch]
    metrics = evaluate([each.found for each in done], [each.truth for each in done], data.class_names)
    assert standing.result.report.metrics == metrics or str(standing.result.report.metrics) == str(metrics)


def test_stop_keeps_what_was_seen(runs, slow):
    config = CONFIG.replace({"training.eval_images": 12})
    key = key_of(config, None)
    runs.start(config, None)
    slow.release()
    assert wait(runs, key, lambda standing: standing.done).state == RUNNING
    runs.stop(key)
    slow.release()
    standing = wait(runs, key, lambda standing: not standing.active)
    assert standing.state == STOPPED and standing.done == len(standing.result.findings) > 0
    slow.release(9)
    runs.start(config, None)  # again, to the end
    assert wait(runs, key, lambda standing: standing.state == FINISHED).done == 12


def test_others_wait_their_turn_and_are_bounded(runs, slow):
    configs = [CONFIG.replace({"inference.nms_threshold": 0.1 * number}) for number in range(1, 8)]
    for config in configs[:5]:
        runs.start(config, None)
    runs.start(configs[0], None)  # goes on already
    wait(runs, key_of(configs[0], None), lambda standing: standing.state == RUNNING)
    assert runs.read(key_of(configs[4], None)).state == WAITING
    with pytest.raises(UserError, match="Other evaluations are waiting"):
        runs.start(configs[5], None)
    for config in configs:
        runs.stop(key_of(config, None))
    slow.release(50)
    last = wait(runs, key_of(configs[4], None), lambda standing: not standing.active)
    assert last.state == STOPPED and last.result is None


def test_what_breaks_is_told(runs, monkeypatch):
    def broken(*_):
        raise DataError("a.png cannot be opened: copy it again.")

    monkeypatch.setattr(jobs, "findings", broken)
    runs.start(CONFIG, None)
    standing = wait(runs, key_of(CONFIG, None), lambda standing: not standing.active)
    assert (standing.state, standing.message) == (FAILED, "a.png cannot be opened: copy it again.")
    shown = show(PageState("evaluation", settings=settings_of(CONFIG)))
    assert "The evaluation failed. a.png cannot be opened" in shown.readout and shown.notice == ""


def test_classes_are_found_by_name():
    assert numbered_for(("dog", "cat", "cow"), ("cat", "dog"), "w").tolist() == [1, 0]
    with pytest.raises(WeightsError, match="w know no bird: train on this data set"):
        numbered_for(("dog",), ("bird", "dog"), "w")


def test_the_score_threshold_of_the_page_does_not_spoil_an_evaluation():
    usual = Config.from_flat({**TINY, SCORE: 0.05})
    assert key_of(usual, None) == key_of(usual.replace({SCORE: 0.5}), None)
    assert key_of(usual, None) != key_of(usual.replace({SCORE: 0.01}), None)
    assert key_of(usual, None) != key_of(usual.replace({"inference.nms_threshold": 0.6}), None)
    assert key_of(usual, None) != key_of(usual, ImageRef("scenes", "test"))
    assert key_of(usual, ImageRef("scenes", "val", 3)) == key_of(usual, None)


def test_the_matrix_at_any_score(result):
    at_low = report_at(result, EvaluationQuery(score=0.1))
    assert at_low.confusion.counts.tolist() == [[1, 0, 1], [1, 1, 0], [0, 1, 0]]
    assert report_at(result, EvaluationQuery(score=0.5)).confusion.counts.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    assert report_at(result, EvaluationQuery()) is result.report
    assert [each.name for each in at_low.pictures] == ["c.png", "a.png", "b.png"]


def test_pictures_of_a_choice(result):
    low = EvaluationQuery(score=0.1)
    for choice, pictures in [("cell 1 0", (0,)), ("cell 0 2", (2,)), ("cell 2 1", (2,)), ("worst", (2, 0, 1)),
                             ("kind class", (0,)), ("kind missed", (2,)), ("cell 2 2", ())]:  # fmt: skip
        assert chosen_pictures(result, low._replace(choice=choice)).pictures == pictures, choice
    assert chosen_pictures(result, low._replace(choice="cell 1 0")).label == "dog found as cat"
    assert chosen_pictures(result, low._replace(choice="cell 9 9")) is None
    assert chosen_pictures(result, low) is None


def test_the_picture_shows_right_wrong_missed_and_the_chosen_box(result):
    state = at_place(PageState("evaluation", settings=settings_of(CONFIG)), ImageRef("scenes", "val", 0))
    pipeline, evaluation_query = state.pipeline(), EvaluationQuery(score=0.1, choice="cell 1 0")
    drawn = {each.key: each for each in layers(pipeline, result, report_at(result, evaluation_query), evaluation_query)}
    payload(View("data:,", 64, 64, tuple(drawn.values())))
    assert drawn["right"].captions == ("cat 0.90",) and drawn["wrong"].captions == ("cat 0.40, is dog",)
    assert drawn["asked"].boxes.tolist() == [THERE] == drawn["wrong"].boxes.tolist()
    assert len(drawn["missed"].boxes) == 0
    missed = EvaluationQuery(score=0.1, choice="kind missed")
    there = at_place(state, ImageRef("scenes", "val", 2)).pipeline()
    drawn = {each.key: each for each in layers(there, result, report_at(result, missed), missed)}
    assert drawn["asked"].boxes.tolist() == [HERE] and drawn["missed"].captions == ("cat",)


@pytest.mark.parametrize("which", FIGURES)
@pytest.mark.parametrize("empty", [False, True])
def test_figures_are_valid(result, which, empty):
    if empty:
        result = Evaluated.of([finding([], [], [], [], [])], ["a"], torch.arange(2), NAMES, 0.5)
    made = figure(report_at(result, EvaluationQuery()), which)
    go.Figure(made)
    json.dumps(made, allow_nan=False)


def test_nothing_found_and_nothing_there_is_told(runs, monkeypatch):
    monkeypatch.setattr(jobs, "findings", lambda *_: iter([[finding([], [], [], [], [])]]))
    runs.start(CONFIG, None)
    wait(runs, key_of(CONFIG, None), lambda standing: not standing.active)
    shown = show(PageState("evaluation", settings=settings_of(CONFIG)))
    assert shown.notice == "" and "There is no best threshold" in shown.readout and "nan" not in shown.readout


@pytest.mark.parametrize(
    ("word", "value"),
    [("score", "2"), ("score", "nan"), ("iou", "0"), ("iou", "x"), ("figure", "x"), ("choice", "cell 1"),
     ("choice", "cell a b"), ("choice", "kind x"), ("choice", "cell 1 -1"), ("choice", "x"), ("x", "y")],
)  # fmt: skip
def test_what_cannot_be_asked(word, value):
    with pytest.raises(ConfigError):
        asked_for(EvaluationQuery(), word, value)
    if word != "x":
        with pytest.raises(ConfigError):
            from_link(f"{word}={value}")


def test_links_hold_what_is_asked():
    state = PageState(
        "evaluation", evaluation_query=EvaluationQuery(0.25, 0.75, FIGURES[2], "cell 0 3"), settings=settings_of(CONFIG)
    )
    assert from_link(to_link(state, CONFIG)).evaluation_query == state.evaluation_query


def test_links_in_the_numbers(runs):
    runs.start(CONFIG, None)
    standing = wait(runs, key_of(CONFIG, None), lambda standing: not standing.active)
    state = PageState("evaluation", settings=settings_of(CONFIG))
    report = standing.result.report
    (cell, pictures), *_ = sorted(report.confusion.pictures().items())
    text = f"choice cell {cell[0]} {cell[1]}"
    chosen = followed(state, text)
    assert chosen.user_picture.image_ref == ImageRef("scenes", "val", pictures[0])
    bar = json.loads(show(chosen).bar)["choice"]
    assert (bar["at"], bar["count"]) == (0, len(pictures))
    assert followed(chosen, text).evaluation_query.choice == ""
    assert gone(chosen, None, None, None, -1).user_picture.image_ref == chosen.user_picture.image_ref  # the first one
    if len(pictures) > 1:
        assert gone(chosen, None, None, None, 1).user_picture.image_ref.index == pictures[1]
    left = gone(chosen, "scenes", "val", 5, 0)
    assert left.user_picture.image_ref.index == 5 and left.evaluation_query.choice == ""
    opened = followed(state, f"open {report.pictures[0].index}")
    assert opened.user_picture.image_ref.index == report.pictures[0].index and opened.evaluation_query.choice == "worst"
    assert followed(state, "use 0.4").config().inference.score_threshold == 0.4
    assert followed(state, "score 0.3").evaluation_query.score == 0.3
    for bad in ("", "use x", "open -1", "open 99999", "go x", "go gone/val/1", "choice cell 9 x", "nothing 1"):
        with pytest.raises(UserError):
            followed(state, bad)

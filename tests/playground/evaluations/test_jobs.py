import json
import time

import plotly.graph_objects as go
import pytest
import torch

from core.config import Config, ConfigError
from core.data.dataset import DataSet
from core.data.sources import open_data
from core.data.untrusted import DataError
from core.errors import PictureError, UserError
from core.evaluation import dataset_predictions
from core.evaluation.coco_metrics import evaluate
from core.evaluation.dataset_predictions import ImageResult
from core.evaluation.slices.measure import Slice
from core.structures import Detections, GroundTruth, Sample
from playground.canvas.canvas import payload
from playground.canvas.view import View
from playground.data.image_ref import ImageRef
from playground.evaluations import bounds, work
from playground.evaluations.jobs import Evaluations
from playground.evaluations.keys import SCORE, evaluation_key
from playground.evaluations.query import ALONG, FIGURES, MAKING, SLICES, EvaluationQuery, update_query
from playground.evaluations.results import EvaluationResult, compute_report, select_pictures
from playground.evaluations.status import FAILED, FINISHED, RUNNING, STOPPED, WAITING
from playground.events.data.sets import browse_to
from playground.events.evaluation import follow_link
from playground.events.picture import show_image
from playground.pipeline import effort
from playground.pipeline.networks import network_of
from playground.server.permalink import from_link, to_link
from playground.server.render import render
from playground.sharing import shares
from playground.sharing.shares import SHARE
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps import STEPS
from playground.steps.dials import Dials
from playground.steps.evaluation import step
from playground.steps.evaluation.figures import figure
from playground.steps.evaluation.labels import label_layers, label_table
from playground.steps.evaluation.layers import build_layers
from playground.steps.evaluation.slices import draw_averages, name_slices
from playground.steps.precision.counted import choose, of_evaluation
from playground.steps.precision.view import counted_figure
from playground.support.visitors import VISITORS, NotYoursError, Sender

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


def make_image(boxes: list, scores: list, labels: list, objects: list, actual: list) -> ImageResult:
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
def result() -> EvaluationResult:
    done = [
        make_image([HERE, THERE], [0.9, 0.4], [0, 0], [HERE, THERE], [0, 1]),  # the dog is taken for a cat
        make_image([HERE], [0.8], [1], [HERE], [1]),
        make_image([THERE], [0.2], [1], [HERE], [0]),  # a missed cat, a dog that is none
    ]
    return EvaluationResult.from_images(done, ["a.png", "b.png", "c.png"], NAMES, 0.5)


def wait(evaluations: Evaluations, key, until, seconds: float = 120):
    deadline = time.monotonic() + seconds
    while not until(status := evaluations.read_status(key)):
        assert time.monotonic() < deadline, status
        time.sleep(0.02)
    return status


@pytest.fixture
def evaluations(monkeypatch):
    made = Evaluations()
    monkeypatch.setattr(step, "EVALUATIONS", made)
    return made


@pytest.mark.slow
def test_an_evaluation_from_start_to_report(evaluations):
    key = evaluation_key(CONFIG, None)
    assert evaluations.read_status(key) is None
    evaluations.start(CONFIG, None)
    status = wait(evaluations, key, lambda status: not status.active)
    assert (status.state, status.done, status.total) == (FINISHED, 6, 6)
    assert len(status.result.images) == 6 and not evaluations.has_active()
    state = PageState("evaluation", settings=settings_of(CONFIG))
    assert "6 pictures of scenes, val" in render(state).readout
    assert (
        "Press Evaluate"
        in render(state._replace(settings=settings_of(CONFIG.replace({"anchors.size_p3": 20})))).readout
    )


@pytest.mark.slow
def test_metrics_are_those_of_the_library(evaluations):
    evaluations.start(CONFIG, None)
    status = wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    data, network = open_data("scenes", "val", CONFIG.scenes, 6), network_of(CONFIG)
    done = [
        each
        for batch in dataset_predictions.predict_dataset(network.model, network.class_names, data, CONFIG)
        for each in batch
    ]
    metrics = evaluate([each.detections for each in done], [each.truth for each in done], data.class_names)
    assert status.result.report.metrics == metrics or str(status.result.report.metrics) == str(metrics)


@pytest.mark.slow
def test_stop_keeps_the_pictures_done(evaluations, gate):
    config = CONFIG.replace({"training.eval_images": 12})
    key = evaluation_key(config, None)
    evaluations.start(config, None)
    gate.release()
    assert wait(evaluations, key, lambda status: status.done).state == RUNNING
    evaluations.stop(key)
    gate.release()
    status = wait(evaluations, key, lambda status: not status.active)
    assert status.state == STOPPED and status.done == len(status.result.images) > 0
    gate.release(9)
    evaluations.start(config, None)  # again, to the end
    assert wait(evaluations, key, lambda status: status.state == FINISHED).done == 12


def test_a_visitor_has_a_number_of_evaluations_and_only_they_can_stop_them(evaluations, gate, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    configs = [CONFIG.replace({"inference.nms_threshold": 0.1 * number}) for number in range(1, 6)]
    keys = [evaluation_key(config, None) for config in configs]
    for config in configs[: SHARE.evaluations]:
        evaluations.start(config, None, "me")
    with pytest.raises(UserError, match=f"{SHARE.evaluations} evaluations at a time"):
        evaluations.start(configs[3], None, "me")
    evaluations.start(configs[0], None, "me")  # is active already
    evaluations.start(configs[3], None, "you")
    with pytest.raises(NotYoursError, match="The evaluation was made in another browser"):
        evaluations.stop(keys[3], "me")
    evaluations.stop(keys[3], "you")
    for key in keys[:2]:
        evaluations.stop(key, "me")
    gate.release(50)
    wait(evaluations, keys[3], lambda status: not status.active)


COSTLY = CONFIG.replace({"inference.image_size": 1600, "inference.test_time_scales": (1.0, 2.0, 3.0)})


def test_views_that_cost_too_much_for_a_picture_are_refused_before_the_work(evaluations, monkeypatch):
    monkeypatch.setattr(work, "predict_dataset", None)
    with pytest.raises(PictureError, match=r"2 other views would take about .* “Test-time scales”, lower"):
        evaluations.start(COSTLY, None)
    tiled = CONFIG.replace({"inference.tile_size": 32, "inference.tile_overlap": 0.5, "scenes.image_size": 512})
    with pytest.raises(PictureError, match=r"has 961 tiles of 32 px, and this page sees at most 64"):
        evaluations.start(tiled, None)
    assert not evaluations.has_active()


def test_an_evaluation_that_takes_more_than_a_share_is_refused(evaluations, gate, monkeypatch):
    endless = CONFIG.replace({"training.eval_images": 10**6})
    with monkeypatch.context() as apart:
        apart.setattr(VISITORS, "apart", True)
        with pytest.raises(UserError, match=r"1,000,000 pictures would take about .* choose fewer “Evaluation images”"):
            evaluations.start(endless, None, "me")
    evaluations.start(endless, None)  # whoever has the server alone may
    evaluations.stop(evaluation_key(endless, None))
    gate.release(50)
    wait(evaluations, evaluation_key(endless, None), lambda status: not status.active)


def test_pictures_that_take_more_than_the_first_one_are_left_out():
    pictures = [torch.zeros(3, side, side, dtype=torch.uint8) for side in (64, 64, 512)]
    config = CONFIG.replace({"inference.tile_size": 32, "inference.tile_overlap": 0.0})
    data = bounds.BoundedData(Pictures(pictures), config, 6)
    assert len(data) == 3 and data[0].image is pictures[0]
    with pytest.raises(PictureError, match=r"^picture 3: The picture has 256 tiles of 32 px"):
        _ = data[2]


def test_the_pictures_of_an_evaluation_take_no_more_than_a_share_together(monkeypatch):
    pictures = [torch.zeros(3, 64, 64, dtype=torch.uint8)] * 4
    each = effort.estimate_all_gflops(CONFIG, 64, 64, 6)
    monkeypatch.setattr(VISITORS, "apart", True)
    monkeypatch.setattr(shares, "SHARE", SHARE._replace(evaluation_gflops=2.5 * each / bounds.MARGIN))
    data = bounds.BoundedData(Pictures(pictures), CONFIG, 6)
    assert data[0].image is data[1].image
    with pytest.raises(PictureError, match=r"before it have taken as much as one evaluation may: choose fewer"):
        _ = data[2]


class Pictures(DataSet):
    """Pictures without objects."""

    class_names = NAMES

    def __init__(self, pictures: list[torch.Tensor]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Sample:
        none = torch.zeros(0, dtype=torch.int64)
        return Sample(self._pictures[index], torch.zeros(0, 4), none, none.bool(), index)


def test_visitors_at_an_address_do_not_have_all_places(evaluations, gate, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    configs = [CONFIG.replace({"inference.nms_threshold": 0.1 * number}) for number in range(1, 6)]
    for who in ("one", "two", "three", "four"):
        VISITORS.note(Sender(who, "10.0.0.4"))
    for config, who in zip(configs[:3], ("one", "two", "three"), strict=True):
        evaluations.start(config, None, who)
    with pytest.raises(UserError, match="Other evaluations are waiting already"):
        evaluations.start(configs[3], None, "four")
    evaluations.start(configs[3], None, "somebody elsewhere")
    for config, who in zip(configs, ("one", "two", "three", "somebody elsewhere"), strict=False):
        evaluations.stop(evaluation_key(config, None), who)
    gate.release(50)
    wait(evaluations, evaluation_key(configs[3], None), lambda status: not status.active)


def test_evaluations_wait_for_each_other_and_are_bounded(evaluations, gate):
    configs = [CONFIG.replace({"inference.nms_threshold": 0.1 * number}) for number in range(1, 8)]
    for config in configs[:5]:
        evaluations.start(config, None)
    evaluations.start(configs[0], None)  # already active
    wait(evaluations, evaluation_key(configs[0], None), lambda status: status.state == RUNNING)
    assert evaluations.read_status(evaluation_key(configs[4], None)).state == WAITING
    with pytest.raises(UserError, match="Other evaluations are waiting"):
        evaluations.start(configs[5], None)
    for config in configs:
        evaluations.stop(evaluation_key(config, None))
    gate.release(50)
    last = wait(evaluations, evaluation_key(configs[4], None), lambda status: not status.active)
    assert last.state == STOPPED and last.result is None


def test_an_error_is_shown(evaluations, monkeypatch):
    def broken(*_):
        raise DataError("a.png cannot be opened: copy it again.")

    monkeypatch.setattr(work, "predict_dataset", broken)
    evaluations.start(CONFIG, None)
    status = wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    assert (status.state, status.message) == (FAILED, "a.png cannot be opened: copy it again.")
    shown = render(PageState("evaluation", settings=settings_of(CONFIG)))
    assert "The evaluation failed. a.png cannot be opened" in shown.readout and shown.notice == ""


def test_a_high_score_threshold_on_the_page_does_not_change_an_evaluation():
    usual = Config.from_flat({**TINY, SCORE: 0.05})
    assert evaluation_key(usual, None) == evaluation_key(usual.replace({SCORE: 0.5}), None)
    assert evaluation_key(usual, None) != evaluation_key(usual.replace({SCORE: 0.01}), None)
    assert evaluation_key(usual, None) != evaluation_key(usual.replace({"inference.nms_threshold": 0.6}), None)
    assert evaluation_key(usual, None) != evaluation_key(usual, ImageRef("scenes", "test"))
    assert evaluation_key(usual, ImageRef("scenes", "val", 3)) == evaluation_key(usual, None)


def test_the_matrix_at_any_score(result):
    at_low = compute_report(result, EvaluationQuery(score=0.1))
    assert at_low.confusion.counts.tolist() == [[1, 0, 1], [1, 1, 0], [0, 1, 0]]
    assert compute_report(result, EvaluationQuery(score=0.5)).confusion.counts.tolist() == [
        [1, 0, 1],
        [0, 1, 1],
        [0, 0, 0],
    ]
    assert compute_report(result, EvaluationQuery()) is result.report
    assert [each.name for each in at_low.images] == ["c.png", "a.png", "b.png"]


def test_a_choice_selects_pictures(result):
    low = EvaluationQuery(score=0.1)
    for choice, pictures in [("cell 1 0", (0,)), ("cell 0 2", (2,)), ("cell 2 1", (2,)), ("worst", (2, 0, 1)),
                             ("kind class", (0,)), ("kind missed", (2,)), ("cell 2 2", ())]:  # fmt: skip
        assert select_pictures(result, low._replace(choice=choice)).pictures == pictures, choice
    assert select_pictures(result, low._replace(choice="cell 1 0")).label == "dog predicted as cat"
    assert select_pictures(result, low._replace(choice="cell 9 9")) is None
    assert select_pictures(result, low) is None


def test_the_picture_shows_right_wrong_missed_and_the_chosen_box(result):
    state = show_image(PageState("evaluation", settings=settings_of(CONFIG)), ImageRef("scenes", "val", 0))
    pipeline, evaluation_query = state.pipeline(), EvaluationQuery(score=0.1, choice="cell 1 0")
    drawn = {
        each.key: each
        for each in build_layers(pipeline, 0, result, compute_report(result, evaluation_query), evaluation_query)
    }
    payload(View("data:,", 64, 64, tuple(drawn.values())))
    assert drawn["right"].captions == ("cat 0.90",) and drawn["wrong"].captions == ("cat 0.40, is dog",)
    assert drawn["asked"].boxes.tolist() == [THERE] == drawn["wrong"].boxes.tolist()
    assert len(drawn["missed"].boxes) == 0
    missed = EvaluationQuery(score=0.1, choice="kind missed")
    there = show_image(state, ImageRef("scenes", "val", 2)).pipeline()
    drawn = {each.key: each for each in build_layers(there, 2, result, compute_report(result, missed), missed)}
    assert drawn["asked"].boxes.tolist() == [HERE] and drawn["missed"].captions == ("cat",)


@pytest.fixture
def doubted() -> EvaluationResult:
    """Pictures whose labels a detector doubts: a dog that is rather a cat, a cat that is missing, a misplaced dog."""
    shifted = [30.0, 45, 60, 75]  # half of it lies on the dog: IoU ⅓
    done = [
        make_image([HERE], [0.9], [0], [HERE], [1]),
        make_image([HERE, THERE], [0.9, 0.8], [0, 1], [HERE, shifted], [0, 1]),
        make_image([HERE], [0.9], [0], [], []),
    ]
    return EvaluationResult.from_images(done, ["a.png", "b.png", "c.png"], NAMES, 0.5)


def test_suspected_labels_are_selected_by_kind_the_likeliest_first(doubted):
    for choice, pictures in [("label", (0, 2, 1)), ("label missing", (2,)), ("label misplaced", (1,)),
                             ("label wrong class", (0,))]:  # fmt: skip
        assert select_pictures(doubted, update_query(EvaluationQuery(), "choice", choice)).pictures == pictures, choice
    assert select_pictures(doubted, EvaluationQuery(choice="label missing")).label == "missing labels, likeliest first"
    table = label_table(doubted, EvaluationQuery(), ImageRef("scenes", "val"), 2)
    for text in ("dog: rather cat", "cat: missing", "dog: misplaced", "Suspected errors of the labels: 3",
                 'data-choose="correct 1"', "Scenes are labelled exactly"):  # fmt: skip
        assert text in table
    only = label_table(doubted, EvaluationQuery(choice="label missing"), ImageRef("mine", "val"), None)
    assert "dog: misplaced" not in only and "misplaced: 1" in only and "correct the files" in only


def test_suspected_labels_are_drawn_with_what_the_detector_found(doubted):
    query = EvaluationQuery(choice="label")
    state = show_image(PageState("evaluation", settings=settings_of(CONFIG)), ImageRef("scenes", "val", 1))
    (layer,) = label_layers(state.pipeline(), 1, doubted, query)
    assert layer.captions == ("dog: misplaced?", "dog 0.80")
    assert layer.boxes.tolist() == [[30, 45, 60, 75], THERE]
    (wrong,) = label_layers(state.pipeline(), 0, doubted, query)
    assert (wrong.captions, wrong.boxes.tolist()) == (("dog: rather cat?",), [HERE])
    (missing,) = label_layers(state.pipeline(), 2, doubted, query)
    assert (missing.captions, missing.boxes.tolist()) == (("cat 0.90",), [HERE])
    assert label_layers(state.pipeline(), 2, doubted, EvaluationQuery(choice="label misplaced")) == ()


def test_a_suspected_label_is_a_click_from_the_box_editor(evaluations, monkeypatch):
    truths = [make_image([HERE], [0.9], [0], [], []) for _ in range(6)]
    monkeypatch.setattr(work, "predict_dataset", lambda *_: iter([truths]))
    evaluations.start(CONFIG, None)
    wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    state = PageState("evaluation", settings=settings_of(CONFIG))
    opened = follow_link(state, "label 4")
    assert (opened.step, opened.user_picture.image_ref.index) == ("evaluation", 4)
    assert opened.evaluation_query.choice == "label"
    drawn = follow_link(follow_link(state, "choice label missing"), "correct 2")
    assert (drawn.step, drawn.user_picture.image_ref.index) == ("picture", 2)
    assert drawn.evaluation_query.choice == "label missing"
    assert from_link(to_link(drawn, CONFIG)).evaluation_query == drawn.evaluation_query
    view = STEPS["picture"].build_view(drawn.pipeline(), drawn.focus())
    assert view.editable and [layer.label for layer in view.layers] == ["ground truth", "suspected labels"]
    assert "suspected" not in str(STEPS["picture"].build_view(state.pipeline(), state.focus()).layers)
    other = drawn._replace(settings=settings_of(CONFIG.replace({"anchors.size_p3": 20})))  # not evaluated
    assert len(STEPS["picture"].build_view(other.pipeline(), other.focus()).layers) == 1
    for bad in ("label -1", "correct x", "correct 9999999", "choice label x"):
        with pytest.raises(UserError):
            follow_link(state, bad)


@pytest.mark.parametrize("which", [each for each in FIGURES if each != ALONG])
@pytest.mark.parametrize("empty", [False, True])
def test_figures_are_valid(result, which, empty):
    if empty:
        result = EvaluationResult.from_images([make_image([], [], [], [], [])], ["a"], NAMES, 0.5)
    if which == MAKING:
        made = counted_figure(choose(of_evaluation(result), Dials()))
    elif which == SLICES:
        made = draw_averages(compute_report(result, EvaluationQuery(figure=which)).slices)
    else:
        made = figure(compute_report(result, EvaluationQuery(figure=which)), which)
    go.Figure(made)
    json.dumps(made, allow_nan=False)


def test_slices_that_are_close_have_names_of_their_own():
    close = [Slice("elongation", low, low + 0.001, 1, 1.0, 1.0) for low in (1.0, 1.001, 1.002)]
    assert name_slices(close) == ["1–1.001 : 1", "1.001–1.002 : 1", "1.002–1.003 : 1"]
    assert name_slices([Slice("size, px", 34.0, 58.25, 1, 1.0, 1.0)]) == ["34–58.2 px"]


def test_slices_are_named_by_their_bounds():
    small = [0.0, 0, 10, 10]
    done = [make_image([HERE, small], [0.9, 0.8], [0, 0], [HERE, small], [0, 0]), make_image([], [], [], [HERE], [0])]
    result = EvaluationResult.from_images(done, ["a", "b"], NAMES, 0.5)
    assert compute_report(result, EvaluationQuery()).slices == ()  # which would take time
    made = draw_averages(compute_report(result, EvaluationQuery(figure=SLICES)).slices)
    ap, ap50 = made["data"]
    assert ap["x"] == ["10–20 px", "≥ 20 px", "1 in picture", "2 or more in picture"]
    assert ap["hovertext"] == ["1 object", "2 objects", "1 object", "2 objects"]
    half = 51 / 101  # of the two large objects one is found
    assert ap["y"] == ap50["y"] == pytest.approx([1, half, 0, 1])


def test_an_evaluation_without_objects_and_detections(evaluations, monkeypatch):
    monkeypatch.setattr(work, "predict_dataset", lambda *_: iter([[make_image([], [], [], [], [])]]))
    evaluations.start(CONFIG, None)
    wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    shown = render(PageState("evaluation", settings=settings_of(CONFIG)))
    assert shown.notice == "" and "There is no best threshold" in shown.readout and "nan" not in shown.readout


@pytest.mark.parametrize(
    ("word", "value"),
    [("score", "2"), ("score", "nan"), ("iou", "0"), ("iou", "x"), ("figure", "x"), ("choice", "cell 1"),
     ("choice", "cell a b"), ("choice", "kind x"), ("choice", "cell 1 -1"), ("choice", "label x"),
     ("choice", "label missing x"), ("choice", "x"), ("x", "y")],
)  # fmt: skip
def test_a_query_that_is_not_allowed_is_refused(word, value):
    with pytest.raises(ConfigError):
        update_query(EvaluationQuery(), word, value)
    if word != "x":
        with pytest.raises(ConfigError):
            from_link(f"{word}={value}")


def test_links_hold_the_query():
    state = PageState(
        "evaluation", evaluation_query=EvaluationQuery(0.25, 0.75, FIGURES[2], "cell 0 3"), settings=settings_of(CONFIG)
    )
    assert from_link(to_link(state, CONFIG)).evaluation_query == state.evaluation_query


@pytest.mark.slow
def test_links_in_the_numbers(evaluations):
    evaluations.start(CONFIG, None)
    status = wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    state = PageState("evaluation", settings=settings_of(CONFIG))
    report = status.result.report
    (cell, pictures), *_ = sorted(report.confusion.images_by_cell().items())
    text = f"choice cell {cell[0]} {cell[1]}"
    chosen = follow_link(state, text)
    assert chosen.user_picture.image_ref == ImageRef("scenes", "val", pictures[0])
    bar = json.loads(render(chosen).bar)["choice"]
    assert (bar["at"], bar["count"]) == (0, len(pictures))
    assert follow_link(chosen, text).evaluation_query.choice == ""
    assert (
        browse_to(chosen, None, None, None, -1).user_picture.image_ref == chosen.user_picture.image_ref
    )  # the first one
    if len(pictures) > 1:
        assert browse_to(chosen, None, None, None, 1).user_picture.image_ref.index == pictures[1]
    left = browse_to(chosen, "scenes", "val", 5, 0)
    assert left.user_picture.image_ref.index == 5 and left.evaluation_query.choice == ""
    opened = follow_link(state, f"open {report.images[0].index}")
    assert opened.user_picture.image_ref.index == report.images[0].index and opened.evaluation_query.choice == "worst"
    assert follow_link(state, "use 0.4").config().inference.score_threshold == 0.4
    assert follow_link(state, "score 0.3").evaluation_query.score == 0.3
    for bad in ("", "use x", "open -1", "open 9999999", "go x", "go gone/val/1", "choice cell 9 x", "nothing 1"):
        with pytest.raises(UserError):
            follow_link(state, bad)

"""AP along a dial of the scenes: in the queue of evaluations, stored, and drawn for several weights."""

import math

import plotly.graph_objects as go
import pytest

from core.config import ConfigError
from core.errors import UserError
from core.evaluation import dataset_predictions
from core.evaluation.slices.along_dial import Curve, Point, measure_point, open_scenes, set_dial
from core.runs.checkpoint import save_checkpoint
from core.scenes.render import CLASS_NAMES
from playground.evaluations import jobs, work
from playground.evaluations.jobs import Evaluations
from playground.evaluations.keys import curve_key, evaluation_key
from playground.evaluations.query import ALONG, MOST_BESIDE, SLICES, EvaluationQuery, toggle_weights, update_query
from playground.evaluations.records import StoredCurve, to_state
from playground.evaluations.status import FINISHED, STOPPED, JobStatus
from playground.evaluations.store import SUFFIX, Origin, Store
from playground.events import evaluation as events
from playground.events.evaluation import follow_link
from playground.pipeline.networks import network_of
from playground.runs.labels import Label, write_label
from playground.server.permalink import from_link, to_link
from playground.server.render import render
from playground.sharing import shares
from playground.sharing.shares import SHARE
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.dials import Dials, parse_dials, set_dial as turn
from playground.steps.evaluation import against, along, slices, step
from playground.steps.evaluation.along import along_dials, build_along_figure, choose_values
from playground.support.visitors import VISITORS, NotYoursError
from tests.playground.evaluations.test_jobs import CONFIG, make_image, wait
from tests.playground.made_runs import make_run, runs_at

VALUES = (0.0, 0.5, 1.0)
SMALL = CONFIG.replace({"training.eval_images": 2})
KEY = curve_key(SMALL, "noise", VALUES)
DIALS = Dials(along="noise", along_count="3")
STATE = PageState(
    "evaluation",
    settings=settings_of(SMALL),
    evaluation_query=EvaluationQuery(figure=ALONG),
    dials=DIALS.to_text(),
)
RARE = CLASS_NAMES[-1]
CURVE = Curve("noise", (RARE,), (Point(0.0, 2, 9, 0.5, 0.75, 1, 0.25), Point(1.0, 2, 9, 0.25, 0.5, 1, math.nan)))


@pytest.fixture
def evaluations(monkeypatch):
    made = Evaluations()
    for module in (step, against, events):
        monkeypatch.setattr(module, "EVALUATIONS", made)
    return made


def ended(status: JobStatus | None) -> bool:
    return status is not None and not status.active


@pytest.mark.slow
def test_a_curve_is_what_the_library_measures_at_each_value(evaluations):
    evaluations.start_curve(SMALL, "noise", VALUES)
    status = wait(evaluations, KEY, ended)
    assert (status.state, status.done, status.total, status.result) == (FINISHED, 6, 6, None)
    network = network_of(SMALL)
    for value, point in zip(VALUES, status.curve.points, strict=True):
        scenes = open_scenes(set_dial(SMALL, "noise", value))
        predicted = dataset_predictions.predict_dataset(network.model, network.class_names, scenes, SMALL)
        expected = measure_point(value, [one for batch in predicted for one in batch], scenes.class_names, ())
        assert repr(point) == repr(expected)
    shown = render(STATE)
    assert "3 values, 6 pictures" in shown.readout and "Along Noise: random" in shown.more
    assert "present: 0.15" in shown.figure and "AP along Noise" in shown.figure


@pytest.mark.slow
def test_the_present_value_of_the_dial_does_not_matter_but_the_other_settings_do(evaluations):
    assert curve_key(SMALL.replace({"scenes.noise": 0.7}), "noise", VALUES) == KEY
    for changed in ({"scenes.clutter": 0.7}, {"scenes.seed": 1}, {"inference.nms_threshold": 0.3}):
        assert curve_key(SMALL.replace(changed), "noise", VALUES) != KEY
    assert curve_key(SMALL, "noise", VALUES[:2]) != KEY and curve_key(SMALL, "clutter", VALUES) != KEY


@pytest.mark.slow
def test_a_curve_that_is_stopped_keeps_its_whole_values(evaluations, gate):
    evaluations.start_curve(SMALL, "noise", VALUES)
    gate.release(2)  # a batch is all pictures of a value
    wait(evaluations, KEY, lambda status: status.curve and len(status.curve.points) == 1)
    assert evaluations.has_active()
    evaluations.stop(KEY)
    gate.release(2)
    status = wait(evaluations, KEY, ended)
    assert status.state == STOPPED and status.done == 2 * len(status.curve.points) < 6
    assert "stopped after" in render(STATE).readout


@pytest.mark.slow
def test_a_curve_is_found_again_on_the_disk(tmp_path):
    before = Evaluations(Store(tmp_path))
    before.start_curve(SMALL, "noise", VALUES)
    one = wait(before, KEY, ended)
    other = Evaluations(Store(tmp_path)).read_status(KEY)
    assert repr(other) == repr(one) and other.curve


@pytest.mark.slow
def test_what_takes_more_than_a_share_is_refused_before_the_work(evaluations, monkeypatch):
    monkeypatch.setattr(work, "predict_dataset", None)
    monkeypatch.setattr(VISITORS, "apart", True)
    monkeypatch.setattr(shares, "SHARE", SHARE._replace(evaluation_gflops=0.01))
    with pytest.raises(UserError, match=r"evaluation of 6 pictures would take .*choose fewer values of the dial"):
        evaluations.start_curve(SMALL, "noise", VALUES)
    monkeypatch.setattr(VISITORS, "apart", False)
    with pytest.raises(UserError, match="There is no value to measure at"):
        evaluations.start_curve(SMALL, "noise", ())
    with pytest.raises(UserError, match=r"scenes\.noise"):
        evaluations.start_curve(SMALL, "noise", (0.5, 2))
    with pytest.raises(UserError, match="Cannot render 0 scenes"):
        evaluations.start_curve(SMALL.replace({"training.eval_images": 0}), "noise", VALUES)


@pytest.mark.slow
def test_curves_take_places_in_the_queue_and_only_their_visitor_stops_them(evaluations, gate, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    for dial in ("noise", "clutter"):
        evaluations.start_curve(SMALL, dial, VALUES, "one")
    with pytest.raises(UserError, match="A visitor can have 2 evaluations at a time"):
        evaluations.start_curve(SMALL, "imbalance", VALUES, "one")
    with pytest.raises(NotYoursError):
        evaluations.stop(KEY, "two")
    for dial in ("noise", "clutter"):
        evaluations.stop(curve_key(SMALL, dial, VALUES), "one")
    gate.release(9)
    assert wait(evaluations, curve_key(SMALL, "clutter", VALUES), ended).state == STOPPED


ODD = (None, True, -1, "x", [], {}, [1], [None], [{}], 10**400, ["x"], [{**CURVE.points[0]._asdict(), "value": "x"}])


@pytest.mark.parametrize("name", to_state(StoredCurve(FINISHED, 4, CURVE)))
def test_odd_values_of_a_stored_curve_are_damage_or_can_be_shown(tmp_path, name):
    store, record = Store(tmp_path), StoredCurve(FINISHED, 4, CURVE)
    store.put("key", record, Origin("scenes", "builtin"))
    assert repr(store.get("key")) == repr(record)
    for odd in ODD:
        store.put("key", record, Origin("scenes", "builtin"))
        (path,) = tmp_path.glob(f"*{SUFFIX}")
        save_checkpoint(path, {**to_state(record), name: odd})
        if found := store.get("key"):
            assert isinstance(found, StoredCurve) and jobs._read_record(found).done >= 0


def show(evaluations: Evaluations, config, key: str, status: JobStatus, monkeypatch) -> None:
    """Makes a status that of an evaluation, by the name of weights."""
    before = evaluations.read_status
    found = curve_key(config, "noise", VALUES) if key == ALONG else evaluation_key(config, None)
    monkeypatch.setattr(evaluations, "read_status", lambda asked: status if asked == found else before(asked))


@pytest.mark.slow
def test_several_weights_share_the_figure(evaluations, monkeypatch):
    state = follow_link(STATE, "against builtin")
    assert state.evaluation_query.weights == ("builtin",)
    readout = render(state).readout
    assert readout.count("not measured under these settings") == 2 and "Measure builtin" in readout
    started = []
    monkeypatch.setattr(evaluations, "start_curve", lambda *each: started.append(each))
    assert follow_link(state, "measure builtin") is state and follow_link(state, "measure") is state
    (config, dial, values, _), (present, *_) = started
    assert (config.model.weights, dial, values, present.model.weights) == ("builtin", "noise", VALUES, "random")
    assert config.model.fpn_channels != 32  # the architecture of those weights
    assert config.inference == present.inference  # pictures are as large for all
    show(evaluations, config, ALONG, JobStatus(FINISHED, 4, 4, curve=CURVE), monkeypatch)
    show(evaluations, present, ALONG, JobStatus(FINISHED, 4, 4, curve=CURVE._replace(rare=())), monkeypatch)
    curves = along.list_curves(state.pipeline(), state.focus())
    made = along._draw(curves, state.pipeline(), DIALS)
    names = [trace.name for trace in go.Figure(made).data]
    assert names == ["random: AP", "random: AP50", "builtin: AP", "builtin: AP50", "builtin: AP of rare classes"]
    assert made["data"][0]["text"] == ["9 objects in 2 pictures"] * 2
    assert made["layout"]["shapes"][0]["x0"] == 0.15
    more = render(state).more
    assert f"Rare: {RARE}" in more and "–" in more
    assert len(build_along_figure(state.pipeline(), state.focus())["data"]) == 2  # what A is, without the others
    assert follow_link(state, "against builtin").evaluation_query.weights == ()


@pytest.mark.slow
def test_slices_of_several_weights_share_the_figure_if_they_are_of_the_same_pictures(evaluations, monkeypatch):
    state = STATE._replace(evaluation_query=EvaluationQuery(figure=SLICES, weights=("builtin",)))
    other = against.list_compared(state.pipeline(), state.focus(), lambda config: None)[1].config
    boxes = [[0.0, 0, 20, 20], [30.0, 30, 60, 60]]
    images = [make_image(boxes, [0.9, 0.4], [0, 0], boxes, [0, 1])] * 2
    same, fewer = (
        JobStatus(
            FINISHED, count, 2, "", slices.EvaluationResult.from_images(images[:count], "ab"[:count], ("x", "y"), 0.5)
        )
        for count in (2, 1)
    )
    show(evaluations, SMALL, SLICES, same, monkeypatch)
    show(evaluations, other, SLICES, same, monkeypatch)
    both = slices.slices_figure(state.pipeline(), state.focus())
    assert [trace["name"] for trace in both["data"]] == ["random", "builtin"]
    assert both["data"][0]["hovertext"][0] == "2 objects"
    show(evaluations, other, SLICES, fewer, monkeypatch)
    assert [trace["name"] for trace in slices.slices_figure(state.pipeline(), state.focus())["data"]] == ["AP", "AP50"]
    readout = render(state).readout
    assert "1 picture of other pictures, since it was stopped" in readout
    assert "No bars for elongation, objects in the picture, position: either the objects hardly differ" in readout


@pytest.mark.slow
def test_weights_that_cannot_be_used_say_so(evaluations):
    state = STATE._replace(
        evaluation_query=EvaluationQuery(figure=ALONG, weights=("run/gone", "upload/no", "imagenet"))
    )
    readout = render(state).readout
    assert "Measure random" in readout and "Measure gone" not in readout and "not available here" in readout
    with pytest.raises(ConfigError, match="shows no such weights"):
        follow_link(state, "measure run/gone")
    with pytest.raises(ConfigError, match="shows no such weights"):
        follow_link(state._replace(evaluation_query=EvaluationQuery()), "measure")


def test_a_lowest_value_above_the_highest_one_is_a_sentence_whatever_is_clicked(evaluations):
    dials = DIALS._replace(along_low=0.9, along_high=0.1)
    for link in ("measure", "unmeasure"):
        with pytest.raises(ConfigError, match="There is no value to measure at"):
            follow_link(STATE._replace(dials=dials.to_text()), link)


def test_hidden_weights_do_not_tell_what_others_call_their_run(tmp_path, evaluations):
    name = "20260101-000000-001"
    with runs_at(tmp_path):
        write_label(make_run(tmp_path / name, {}, []).path, Label("a secret"))
        key = f"run/{name}"
        focus = STATE.focus()._replace(weights=((key, ""),))
        (_, hidden) = against.list_compared(STATE.pipeline(), focus, lambda config: None)
        assert (hidden.name, hidden.problem) == (name, against.NOT_HERE)
        links = against.choose_weights(STATE.pipeline(), focus)
        assert name in links and "secret" not in links


def test_the_choices_are_in_the_link_and_come_back():
    query = EvaluationQuery(figure=ALONG, weights=("builtin", "run/20260101-120000-001"))
    dials = Dials(along="max_size", along_low=0.1, along_high=0.4, along_count="7")
    state = STATE._replace(evaluation_query=query, dials=dials.to_text(), settings="{}")
    again = from_link(to_link(state, state.config()))
    assert (again.evaluation_query, parse_dials(again.dials)) == (query, dials)


def test_another_dial_has_bounds_of_its_own():
    dials = turn(turn(Dials(), "along_low", "0.4"), "along_count", "9")
    assert choose_values(SMALL, dials)[0] == 0.4
    changed = turn(dials, "along", "imbalance")
    assert (changed.along_low, changed.along_count) == (None, "9") and choose_values(SMALL, changed)[0] == 0
    assert choose_values(SMALL, turn(turn(dials, "along_high", "0.2"), "along_count", "3")) == ()
    assert [each.value for each in along_dials(SMALL, dials)] == ["noise", "0.4", "1", "9"]
    for name, value in (("along", "seed"), ("along", "colour"), ("along_low", "nan"), ("along_count", "1000")):
        with pytest.raises(ConfigError):
            turn(Dials(), name, value)


def test_there_are_as_many_weights_as_colours_and_their_names_are_names():
    query = EvaluationQuery()
    for number in range(MOST_BESIDE):
        query = toggle_weights(query, f"run/{number}")
    with pytest.raises(ConfigError, match="at most 5 weights"):
        toggle_weights(query, "run/6")
    assert toggle_weights(query, "run/0").weights == tuple(f"run/{number}" for number in range(1, MOST_BESIDE))
    for text in ("\0", "x" * 301):
        with pytest.raises(ConfigError, match="name that none can have"):
            update_query(EvaluationQuery(), "weights", text)

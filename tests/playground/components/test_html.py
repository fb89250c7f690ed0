"""Text from outside is escaped exactly once, wherever the page shows it; HTML that is built here is kept."""

import pytest
import torch
from markupsafe import Markup, escape

from core.config import Config
from core.evaluation.report import build_report
from core.io.text import typeset_numbers
from playground.canvas.edit import Pick
from playground.components import html
from playground.data.picture import render_picture
from playground.evaluations.query import EvaluationQuery
from playground.inspector.inspect import inspect
from playground.pipeline.networks import network_of
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.evaluation import tables
from playground.steps.step import Focus
from tests.core.boxes_by_hand import found, truth

HOSTILE = "<b>&\"'${x}{y}"
SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}
BOX, OTHER = [0, 0, 100, 100], [200, 200, 300, 300]


@pytest.fixture
def pipeline() -> Pipeline:
    """A network and a picture whose first class has a hostile name."""
    config = Config.from_flat({**SMALL, "inference.score_threshold": 0.009})
    boxes, labels = torch.tensor([[5.0, 5, 90, 90], [20, 20, 24, 24]]), torch.tensor([0, 0])
    here = Pipeline(render_picture(config.scenes).with_objects(boxes, labels, (HOSTILE,)), config)
    network = network_of(config)
    here.network = network._replace(class_names=(HOSTILE, *network.class_names[1:]), key=HOSTILE)
    return here


def assert_escaped_once(text: Markup) -> None:
    assert isinstance(text, Markup)
    assert escape(HOSTILE) in text and HOSTILE not in text
    assert "&amp;amp;" not in text and "&amp;lt;" not in text and "&lt;td" not in text and "&lt;p" not in text


@pytest.mark.parametrize("key", ["picture", "anchors", "assignment", "detections"])
def test_every_step_escapes_names_once(pipeline, key):
    assert_escaped_once(STEPS[key].build_view(pipeline, Focus()).build_text().readout)


@pytest.mark.parametrize("layer", ["truth", "kept"])
def test_the_inspector_escapes_names_once(pipeline, layer):
    assert_escaped_once(inspect(pipeline, Pick(40, 40, layer, 0)).text)
    assert_escaped_once(STEPS["loss"].build_view(pipeline, Focus(pick=Pick(40, 40, layer, 0))).build_text().readout)


def test_the_tables_of_an_evaluation_escape_names_once():
    predictions = [found([BOX], [0.9]), found([BOX, OTHER], [0.8, 0.7], [1, 0])]
    truths = [truth([BOX]), truth([BOX, OTHER])]
    report = build_report(predictions, truths, (HOSTILE, "dog"), images=[(1, HOSTILE), (2, "2.png")], iou=0.5)
    for text in (tables.matrix(report, EvaluationQuery()), tables.classes(report), tables.worst(report, None)):
        assert_escaped_once(text)
    assert "<button" in tables.errors(report, EvaluationQuery())


def test_builders_escape_text_and_keep_html():
    inner = html.link(HOSTILE, HOSTILE, name=HOSTILE)
    table = html.table(html.Table(HOSTILE, (HOSTILE,), ((HOSTILE,), (inner,))))
    for text in (
        inner,
        table,
        html.paragraph(HOSTILE),
        html.facts([(HOSTILE, HOSTILE)]),
        html.small_curves([(HOSTILE, HOSTILE, [1.0, 2.0])]),
        html.bar([(HOSTILE, "#fff", 0.5), ("rest", "#000", 0.5)]),
        html.details(HOSTILE, html.paragraph(HOSTILE)),
        html.slider(HOSTILE, HOSTILE, 0.5, 0, 1),
        html.join([HOSTILE, inner]),
    ):
        assert_escaped_once(text)
    assert inner in table and inner in html.paragraph(inner)


def test_a_table_without_rows_says_so_and_a_bar_of_nothing_is_nothing():
    assert '<td colspan="2">none</td>' in html.table(html.Table("", ("a", "b"), ()))
    assert html.bar([("a", "#fff", 0.0)]) == ""


@pytest.mark.parametrize(("share", "text"), [(0, "0.0%"), (0.0001, "< 0.1%"), (0.0321, "3.2%"), (0.5, "50%")])
def test_a_small_share_does_not_read_as_zero(share, text):
    assert html.percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.5, "50%"), (-0.0001, "> −0.1%"), (-0.0321, "−3.2%"), (-1.5, "−150%")])
def test_a_share_may_pull_back(share, text):
    assert html.signed_percent(share) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.5, "0.500"), (4e11, "4.00·10¹¹")])
def test_numbers(value, text):
    assert html.number(value) == text


def test_rows_point_at_boxes_and_tables_scroll_by_keyboard():
    boxes = (html.box_of("truth", 3), html.place_of((1, 2.25, 30, 40)))
    text = html.table(html.Table("Anchors", ("object",), (("leaf 4",), ("leaf 5",)), boxes=boxes))
    assert '<tr data-box="truth 3" tabindex="0">' in text and 'data-box="at 1.0 2.2 30.0 40.0"' in text
    assert '<div class="scroll" role="group" tabindex="0" aria-label="Anchors">' in text
    assert 'class="scroll wide"' in html.table(html.Table("", tuple("abcdef"), ()))
    assert 'class="scroll widest"' in html.table(html.Table("", tuple("abcdefghi"), ()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2.63e-07", "2.63·10⁻⁷"), ("1e+20 → -4e-10", "1·10²⁰ → -4·10⁻¹⁰"), ("0.5", "0.5"),
        ("run1e-05.png", "run1e-05.png"), ("fake1e5", "fake1e5"),
    ],
)  # fmt: skip
def test_powers_of_ten_are_typeset(text, shown):
    assert typeset_numbers(text) == shown


def test_rows_are_escaped_as_markup_formats_them():
    cells, box = (HOSTILE, Markup("<b>{}</b>"), "a{0}b"), HOSTILE
    row = Markup(' class=marked data-box="{}" tabindex="0">').format(box)
    row += Markup("<td>{}</td>").format(cells[0]) + Markup("<td><b>{}</b></td><td>a{0}b</td></tr>")
    shown = html.table(html.Table("", ("x", "y", "z"), (cells,), frozenset({0}), (box,)))
    assert isinstance(shown, Markup) and f"<tr{row}" in shown

"""Axes of the figures."""

import math

from playground.components.figures import bars, lines, to_json
from playground.components.step_figures import training


def loss_axis(values: list) -> dict:
    return training([("loss", "#000000", range(len(values)), values)], [])["layout"]["yaxis"]


def test_the_axis_of_a_loss_over_few_decades_has_complete_tick_labels():
    ticks = loss_axis([2.2, 0.15])["tickvals"]
    assert {0.2, 0.5, 1, 2} <= {round(tick, 9) for tick in ticks} and len(ticks) <= 12


def test_the_axis_of_a_diverging_loss_has_few_ticks():
    assert loss_axis([4.0, 1e20, math.inf, math.nan, None])["dtick"] == 4


def test_a_run_without_losses_has_an_axis():
    assert loss_axis([])["type"] == "log"


def test_held_out_losses_are_dashed_and_share_the_axis_of_the_losses():
    losses = [("box", "#000000", [1, 2], [1.0, 1.0])]
    measured = ("held-out box", "#000000", [2], [80.0])
    figure = training(losses, [], [measured, ("held-out class", "#ffffff", [2], [None])])  # of an earlier version
    assert [curve["name"] for curve in figure["data"]] == ["box", "held-out box"]
    assert figure["data"][1]["line"]["dash"] == "dash" and "yaxis" not in figure["data"][1]
    assert max(figure["layout"]["yaxis"]["tickvals"]) >= 80


def test_numbers_that_are_not_finite_are_gaps():
    """JSON.parse of the browser reads neither NaN nor Infinity, and the whole figure would be blank."""
    figure = {"data": [{"x": [1, 2], "y": (math.nan, 0.5), "name": "NaN"}], "layout": {"range": [-math.inf, math.inf]}}
    assert to_json(figure) == (
        '{"data": [{"x": [1, 2], "y": [null, 0.5], "name": "NaN"}], "layout": {"range": [null, null]}}'
    )


def test_bars_from_0_have_an_axis_without_the_ticks_of_a_logarithmic_one():
    groups = [("AP", "#000000", [0.002, None, 0.5])]
    linear = bars(("a", "b", "c"), groups, title="AP by size", y="AP", most=1)["layout"]["yaxis"]
    assert linear == {"title": {"text": "AP"}, "range": [0, 1]}
    assert bars(("a", "b", "c"), groups, title="AP by size", y="AP")["layout"]["yaxis"]["type"] == "log"


def test_names_from_outside_are_drawn_as_they_are_written():
    curve = lines([("<unknown> & a<br>b", "red", [0], [0])], title="a <b>", x="p<sub>t</sub>", y="")
    assert curve["data"][0]["name"] == "&lt;unknown&gt; &amp; a&lt;br&gt;b"
    assert curve["layout"]["title"]["text"] == "a <b>"  # `figure.js` escapes it where plotly.js draws it
    assert curve["layout"]["xaxis"]["title"]["text"] == "p<sub>t</sub>"  # ours, with a subscript
    chart = bars(["<b>"], [("<i>", "red", [1.0])], title="", y="", most=1)
    assert (chart["data"][0]["x"], chart["data"][0]["name"]) == (["&lt;b&gt;"], "&lt;i&gt;")

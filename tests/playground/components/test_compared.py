"""The pinned settings in the figures: only what differs is drawn, in the style of A."""

import numpy as np

from playground.components.compared import REFERENCE, compare
from playground.components.figures import bars, histogram, lines, points


def curves(height: float) -> dict:
    figure = lines([("cross-entropy", "#999", [0, 1], [height, 1]), ("foreground", "#090", [0, 1], [height, 2])],
                   title="Loss", x="p", y="loss")  # fmt: skip
    figure["data"][0]["meta"] = REFERENCE
    return figure


def test_curves_of_a_are_dashed_and_named_and_references_are_not_repeated():
    made = compare(curves(5), curves(7))
    assert [trace["name"] for trace in made["data"]] == ["cross-entropy", "foreground", "A: foreground"]
    assert made["data"][2]["y"] == [7, 2] and made["data"][2]["line"] == {"color": "#090", "width": 1.5, "dash": "dash"}


def test_what_does_not_differ_is_not_drawn_twice():
    assert compare(curves(5), curves(5)) == curves(5) == compare(curves(5), None)


def test_another_figure_is_not_compared():
    other = curves(7)
    other["layout"]["title"] = {"text": "Weight"}
    assert compare(curves(5), other) == curves(5)


def test_stacked_bars_of_a_are_outlined_at_their_upper_edges():
    def stacked(values: list[float]) -> dict:
        groups = [("background", "#00f", np.array([0.1, 0.1])), ("foreground", "#090", np.array(values))]
        return histogram(groups, bins=np.array([0, 0.5, 1]), title="IoU", x="IoU", y="anchors")

    made = compare(stacked([0.9]), stacked([0.9, 0.2]))
    assert [trace["name"] for trace in made["data"]] == ["background", "foreground", "A: foreground"]
    assert made["data"][2]["y"] == [3, 1] and made["data"][2]["line"]["shape"] == "hvh"


def test_bars_of_a_are_hatched_and_points_open():
    made = compare(*(bars(["P3"], [("kept", "#00f", [height])], title="t", y="n") for height in (1, 2)))
    assert made["data"][1]["name"] == "A: kept" and made["data"][1]["marker"]["pattern"] == {"shape": "/"}
    made = compare(*(points([("P3", "#00f", [1], [iou])], [], title="t", x="x", y="y") for iou in (0.4, 0.6)))
    assert made["data"][1]["marker"]["symbol"] == "circle-open" and made["data"][0]["marker"].get("symbol") is None

"""A place and an object through the pyramid: the numbers of the core, in the inspector and in the step Network."""

import re

import pytest
import torch

from core.config import Config
from core.explain.pyramid import rate_levels
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.inspector.pyramid import build_levels_report, rate_detections, trace_point
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.step import Focus


@pytest.fixture(scope="module")
def here():
    config = Config()
    return Pipeline(render_picture(config.scenes), config)


def read_rows(text: str, title: str) -> list[list[str]]:
    """Returns the cells of a table by its title."""
    body = text.partition(f"<h3>{title}</h3>")[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.findall(r"<td>(.*?)</td>", row) for row in body.split("</tr>") if row]


def test_the_features_at_a_point_are_those_of_the_network(here):
    """P3 at 100, 60 is column 12 or 13 of row 8; the parts of each level add up to its features."""
    for level, origin in enumerate(trace_point(here, (100, 60))):
        stride = 8 * 2**level
        row, column = round(60 / stride), round(100 / stride)
        torch.testing.assert_close(origin.feature, here.pyramid.levels[level][0, :, row, column], rtol=1e-3, atol=1e-4)


def test_the_step_network_shows_them_after_a_click(here):
    before, after = (
        STEPS["network"].build_view(here, Focus(pick=pick)).build_text().readout for pick in (None, Pick(100, 60))
    )
    assert "Click a point" in before and "Click a point" not in after and "Through the pyramid" not in before
    rows = read_rows(after, "Through the pyramid at 100, 60")
    assert [row[0] for row in rows] == ["P3", "P4", "P5"] and rows[2][2] == "–"
    assert len(rows[0][4].split(" · ")) == 4 and len(rows[2][4].split(" · ")) == 2


def test_an_object_has_a_row_for_each_level(here):
    """Its best IoU, its foreground anchors, and the score of the best detection that finds it there."""
    for number in range(len(here.objects[0])):
        rows = read_rows(build_levels_report(here, number), "Its levels")
        ious = rate_levels(here.grid, here.objects[0][number]).tolist()
        assert [row[1] for row in rows] == [f"{iou:.2f}" for iou in ious]
        own = here.match.foreground & (here.match.object == number)
        assert sum(int(row[2]) for row in rows) == int(own.sum())
        scores = rate_detections(here, number)
        assert [row[3] for row in rows] == [f"{score:.2f}" if score else "not" for score in scores.tolist()]
        assert max(ious) == pytest.approx(here.fit.best_iou[number].item())
    assert any(rate_detections(here, number).any() for number in range(len(here.objects[0])))


def test_a_class_that_the_network_does_not_know_is_not_said_to_be_missed(here):
    strange = here.picture.with_objects(torch.tensor([[20.0, 20, 80, 80]]), torch.tensor([0]), ("zebra",))
    rows = read_rows(build_levels_report(Pipeline(strange, here.config), 0), "Its levels")
    assert [row[3] for row in rows] == ["–"] * 5


def test_without_detections_nothing_is_found(here):
    strict = Pipeline(here.picture, here.config.replace({"inference.score_threshold": 0.99}))
    assert not rate_detections(strict, 0).any()

"""Who steers on the page: shares that add up, beside those of who pays; computed where it is shown alone."""

import re
from html import unescape

import pytest
import torch

import playground.pipeline.steering as stage
from core.config import Config
from playground.canvas.edit import Pick
from playground.components.compared import compare
from playground.components.html import signed_percent
from playground.data.picture import render_picture
from playground.inspector.location import find_anchors
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.loss.spread import scale_decades
from playground.steps.loss.steering import STEERS, build_steering
from playground.steps.step import Focus
from playground.support.cache import Cache
from tests.playground.steps.drawable import require_drawable

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


def make_pipeline(**changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config)


@pytest.mark.parametrize(
    "changes", [{}, {"scenes__empty_share": 1.0}, {"loss__kind": "ghm"}, {"loss__kind": "ohem", "loss__gamma": 0.0}]
)
def test_the_view_is_valid_under_every_loss(changes):
    here = make_pipeline(**changes)
    look = STEPS["loss"].build_view(here, Focus(curve=STEERS, pick=Pick(40, 40)))
    words = require_drawable(look, here)
    assert look.heat.key == "steers" and words.figure == look.figure
    for title in ("Who steers the class subnet", "Who steers, by level", "Who steers at 40, 40"):
        assert title in words.readout
    assert ("Who steers, by object" in words.readout) == (not changes.get("scenes__empty_share"))
    assert not re.search(r"\bnan\b", words.readout.lower())


@pytest.mark.slow
def test_the_bars_add_up():
    """Both bars of each level are divided into the kinds; together they are everything."""
    figure = build_steering(make_pipeline(model__prior_probability=0.5)).figure
    heights = torch.tensor([trace["y"] for trace in figure["data"]]).view(3, 6, 2)  # kinds, all and levels, both bars
    assert heights[:, 0].sum(dim=0).tolist() == pytest.approx([1, 1], abs=1e-4)
    torch.testing.assert_close(heights[:, 0], heights[:, 1:].sum(dim=1), atol=1e-4, rtol=0)
    assert [len(each) for each in figure["data"][0]["x"]] == [12, 12] and figure["layout"]["barmode"] == "relative"


def test_the_inspector_tells_what_each_anchor_does():
    """The shares of those at a place are those of the ledger, the strongest first; the last row is their sum."""
    here = make_pipeline()
    text = unescape(STEPS["loss"].build_view(here, Focus(curve=STEERS, pick=Pick(40, 40))).build_text().readout)
    body = text.partition("Who steers at 40, 40")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in body.split("</tr>")[1:] if "<td>" in row]
    anchors = torch.cat([torch.tensor(find_anchors(here.grid, level, (40, 40))) for level in range(5)])
    pulls = here.class_ledger.pulls[anchors]
    strongest = pulls[pulls.abs().argmax()].item()
    assert rows[0][3] == signed_percent(strongest) and rows[-1][0] == f"all {len(anchors)} here"
    assert rows[-1][3] == signed_percent(pulls.sum().item()) and len(rows) == 7


def test_gamma_changes_who_steers_and_leaves_the_box_subnet_alone():
    config = Config()
    plain, focal = (
        Pipeline(render_picture(config.scenes), config.replace({"loss.gamma": gamma})) for gamma in (0.0, 2.0)
    )
    before, after = (each.class_ledger.kinds.pulls.tolist() for each in (plain, focal))
    assert before[2] > 0.9 and after[2] < 0.1 and after[0] > 0.9
    assert plain.box_ledger is focal.box_ledger


@pytest.mark.slow
def test_nothing_is_computed_before_it_is_shown(monkeypatch):
    monkeypatch.setattr(stage, "open_ledger", None)  # would raise
    here = make_pipeline(training__seed=91)
    assert STEPS["loss"].build_view(here, Focus(pick=Pick(40, 40))).build_text().readout


def test_too_large_a_ledger_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(stage, "MAX_BYTES", 1000)
    monkeypatch.setattr(stage, "_ledgers", Cache())
    look = STEPS["loss"].build_view(make_pipeline(), Focus(curve=STEERS, pick=Pick(40, 40)))
    text = look.build_text()
    assert "lower “Shorter side”" in text.readout and text.figure is None and look.heat.key == "loss"


def test_bars_of_pinned_settings_stand_beside_the_present_ones():
    present, pinned = (build_steering(make_pipeline(loss__gamma=gamma)).figure for gamma in (2.0, 0.0))
    both = compare(present, pinned)["data"]
    assert len(both) == 6 and {each["x"][1][0] for each in both} == {"pays", "A pays"}
    assert compare(present, present)["data"] == present["data"]


def test_colours_by_hand():
    assert scale_decades(torch.tensor([10.0, 1.0, 0.1, 0.0])).tolist() == pytest.approx([1, 0.75, 0.5, 0])

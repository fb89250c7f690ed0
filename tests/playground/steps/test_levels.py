"""The strip: every part's number, the numbers of each level, and the maps of class scores."""

import json

import numpy as np
import pytest
import torch

from core.config import Config
from core.retinanet.predict import predict
from playground.canvas.canvas import payload
from playground.canvas.view import View
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.server.render import strip_cells
from playground.steps import STEPS
from playground.steps.levels import format_short
from playground.steps.loss.step import CERTAINTY
from playground.steps.step import Focus

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}
SEEN = {**SMALL, "inference.score_threshold": 0.009}


def pipeline(values: dict) -> Pipeline:
    config = Config.from_flat(values)
    return Pipeline(render_picture(config.scenes), config)


def texts(step: str, here: Pipeline, **focus) -> dict[str, str]:
    return {cell.name: cell.text for cell in STEPS[step].build_levels(here, Focus(**focus)).cells}


def numbers(text: str) -> list[int]:
    return [int(part.replace(",", "")) for part in text.replace("·", "→").split("→")]


def test_shapes_of_a_known_network():
    """96 px: strides 8 … 128 give 12, 6, 3, 2 and 1 locations per side; a ResNet-18 has 128, 256 and 512 channels."""
    assert texts("network", pipeline(SMALL)) == {
        "C3": "128×12×12",
        "C4": "256×6×6",
        "C5": "512×3×3",
        "P3": "32×12×12",
        "P4": "32×6×6",
        "P5": "32×3×3",
        "P6": "32×2×2",
        "P7": "32×1×1",
    }
    scores = texts("network", pipeline(SMALL), map="scores")
    assert scores["P3"] == "(54+36)×12×12"  # 9 anchors × 6 classes, 9 × 4 deltas
    assert texts("anchors", pipeline(SMALL))["P4"] == "6×6 × 9 = 324"


def test_frozen_stages_are_marked():
    here = pipeline({**SMALL, "model.freeze_stages": 3})
    names = [cell.name for cell in STEPS["network"].build_levels(here, Focus()).cells]
    assert [name for name in names if "❄" in name] == ["C3 ❄\ufe0e"]
    frozen = [cell.name for cell in STEPS["training"].build_levels(here, Focus()).cells if "❄" in cell.name]
    assert [name.split()[0] for name in frozen] == ["stem", "res2", "res3"]
    assert "❄\ufe0e1–3" in strip_cells(here)[1].headline and "❄" not in strip_cells(pipeline(SMALL))[1].headline


def test_the_levels_add_up_to_the_strip():
    here = pipeline(SEEN)
    total = {cell.part.key: cell.headline for cell in strip_cells(here)}
    funnel = np.array([numbers(text) for text in texts("detections", here).values()])
    assert funnel.sum(axis=0).tolist() == [numbers(total[key])[0] for key in ("threshold", "topk", "nms", "detections")]
    assert (np.diff(funnel, axis=1) <= 0).all() and funnel[:, 0].sum() > 0
    assigned = np.array([numbers(text) for text in texts("assignment", here).values()])
    assert f"{assigned[:, 0].sum()} fg · {assigned[:, 1].sum()} ign" == total["assignment"]
    assert sum(numbers(text)[0] for text in texts("picture", here).values()) == len(here.objects[0])


@pytest.mark.parametrize("assigner", ["atss", "simota"])
def test_assigners_that_ignore_no_anchor_name_none_ignored(assigner):
    here = pipeline({**SEEN, "matching.assigner": assigner})
    total = {cell.part.key: cell.headline for cell in strip_cells(here)}
    levels = STEPS["assignment"].build_levels(here, Focus())
    assert total["assignment"] == f"{sum(int(cell.text) for cell in levels.cells)} fg"
    figures = [STEPS[step].build_figure(here, Focus(curve=CERTAINTY)) for step in ("assignment", "loss")]
    names = [trace["name"] for figure in figures for trace in figure["data"]]
    said = STEPS["loss"].build_view(here, Focus()).build_text().readout
    assert "foreground" in names and not any("ignored" in name for name in names)
    assert "Who pays" in said and "<td>ignored</td>" not in said


def test_shares_of_the_loss_are_those_of_its_anchors():
    here = pipeline(SMALL)
    first = here.grid.counts[0]
    share = (here.losses.classification[:first].sum() / here.losses.classification.sum()).item()
    assert float(texts("loss", here)["P3"].rstrip("%")) == pytest.approx(100 * share, abs=0.5)


def test_a_score_map_holds_the_best_score_of_each_location():
    here = pipeline(SMALL)
    logits = predict(here.network.model, [here.picture.sample.image], here.config).outputs.logits[0]
    start = 0
    for level, ((rows, columns), count) in enumerate(zip(here.grid.grids, here.grid.counts, strict=True)):
        heat = STEPS["detections"].build_view(here, Focus(level=level)).heat
        assert heat.values.shape == (rows, columns) and not heat.visible
        best = logits[start : start + count].sigmoid().view(rows * columns, -1).max(dim=1).values
        assert (heat.values * heat.scale).flatten() == pytest.approx(best.numpy(), abs=1e-6)
        start += count
        drawn = STEPS["network"].build_view(here, Focus(level=level, map="scores")).heat
        assert drawn.visible and np.array_equal(drawn.values, heat.values)


def test_cells_of_a_map_cover_the_padded_picture_at_the_levels_stride():
    here = pipeline({**SMALL, "inference.image_size": 97})  # padded to 128
    heat = STEPS["detections"].build_view(here, Focus(level=1)).heat
    packed = json.loads(payload(View("data:,", 97, 97, (), heat)))["heat"]
    assert packed["extent"] == [0, 0, 128, 128] and (packed["rows"], packed["columns"]) == (8, 8)  # stride 16
    assert packed["scale"] == pytest.approx(here.score_maps[1].max().item())


def test_the_maps_of_the_backbone_end_with_c5():
    here = pipeline(SMALL)
    heat = STEPS["network"].build_view(here, Focus(level=4, map="body")).heat
    assert heat.label == "mean |feature| on C5" and heat.values.shape == (3, 3)
    values = torch.from_numpy(heat.values) * heat.scale
    assert torch.allclose(values, here.pyramid.body[2][0].abs().mean(dim=0), atol=1e-5)


@pytest.mark.parametrize(("number", "text"), [(7, "7"), (9536, "9.54 k"), (347_866, "348 k"), (12_024_602, "12 M")])
def test_short_numbers(number, text):
    assert format_short(number) == text

"""Comparisons that were measured beforehand are shown as measured; without files, nothing is shown."""

import json

import pytest

from benchmarks.method_runs import Result
from benchmarks.methods import summarise
from core.experiments.comparison import Row, VariantRun, plan_runs, read_result, run_comparison
from core.experiments.paper_results import BESIDE_OHEM, STAGES
from core.experiments.presets import PRESETS, Variant
from core.runs.folder import DIVERGED, FINISHED, RUNNING, RunFolder, RunStatus
from playground.runs.progress import RunProgress, RunRecords
from playground.steps.comparison import measured, view
from playground.steps.loss import paper_tables

ROW = Row("focal loss", 3, 0, 0.5, 0.4, 0.6, 0.8, 0.55, 2.5, 0.125, 30.0, 41.0)
RIVAL = {
    "detector": "RetinaNet, ours", "ap": 0.61, "ap_low": 0.6, "ap_high": 0.62, "ap50": 0.9, "ap75": 0.7,
    "ap_small": 0.5, "ap_medium": 0.7, "ap_large": 0.8, "milliseconds": 41.6,
}  # fmt: skip


@pytest.fixture
def assets(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "ASSETS", tmp_path)
    measured._read_results.cache_clear()
    yield tmp_path
    measured._read_results.cache_clear()


def test_without_files_nothing_is_shown(assets):
    assert (
        measured.show_presets() == measured.show_rivals() == measured.show_best_rates() == measured.show_methods() == ""
    )


def test_measured_presets_are_shown(assets):
    bad = ROW._replace(
        variant="wild", failed=2, ap=None, ap_low=None, ap_high=None, ap50=None, ap75=None, last_loss=None
    )
    entry = {"title": "Measured over 3 seeds", "rows": [ROW.to_dict(), bad.to_dict()]}
    (assets / "presets.json").write_text(json.dumps({"loss": entry}))
    text = measured.show_presets()
    assert PRESETS["loss"].title in text and "0.500 (0.400–0.600)" in text and "2.50 → 0.125" in text
    assert "wild (2 of 3 diverged)" in text and text.count("<details>") == 1
    assert measured.show_presets(("gamma", "loss")) == text and measured.show_presets(("gamma",)) == ""


def cells_of(text: str, arm: str) -> list[str]:
    row = next(part for part in text.split("<tr>") if part.startswith(f"<td>{arm}</td>"))
    return [part.partition("</td>")[0] for part in row.split("<td>")[1:]]


def test_the_papers_results_are_shown_beside_ours(assets):
    """DESIGN's figures of table 1: γ = 2 gave 34.0, α = 0.25 without focusing 10.8; frozen stages were not ablated."""
    rows = {"gamma": "γ = 2", "alpha": "α = 0.25", "freeze": "backbone frozen"}
    entries = {key: {"title": "x", "rows": [ROW._replace(variant=arm).to_dict()]} for key, arm in rows.items()}
    (assets / "presets.json").write_text(json.dumps(entries))
    told = {key: measured.show_presets((key,)) for key in rows}
    assert cells_of(told["gamma"], "γ = 2")[1::6] == ["0.500 (0.400–0.600)", "34.0"]
    assert cells_of(told["alpha"], "α = 0.25")[-1] == "10.8"
    assert all("AP here" in text for text in told.values())
    assert measured.IN_THE_PAPER in told["gamma"] and "COCO" in told["gamma"]
    assert measured.IN_THE_PAPER not in told["freeze"] and len(cells_of(told["freeze"], "backbone frozen")) == 7


def test_table_1_of_the_paper_is_shown_beside_our_results(assets):
    entry = {"title": "x", "rows": [ROW._replace(variant="γ = 2").to_dict()]}
    (assets / "presets.json").write_text(json.dumps({"gamma": entry}))
    text = paper_tables.tables()
    assert [text.count(f"<h3>1{part}: ") for part in "abcd"] == [1, 1, 1, 1]
    assert "<td>2</td><td>0.25</td><td>34.0</td><td>50.0 (40.0–60.0)</td>" in text  # both in per cent
    assert "<td>5</td><td>0.25</td><td>32.2</td><td>–</td>" in text and "<td>0.75</td><td>31.1</td><td>–</td>" in text


def test_the_texts_on_the_short_runs_agree_with_the_results():
    rows = {
        key: {row.variant: row for row in measured.read_measured_rows(key)}
        for key in ("gamma", "ohem", "alpha", "anchors", "freeze")
    }
    assert all(rows.values()) and {row.runs for kept in rows.values() for row in kept.values()} == {3}
    assert rows["ohem"]["OHEM, 128 anchors"].ap > rows["ohem"]["focal loss"].ap
    assert rows["gamma"]["γ = 1"].ap == max(row.ap for row in rows["gamma"].values())
    assert rows["gamma"]["γ = 0"].ap > rows["gamma"]["γ = 2"].ap
    frozen, free = rows["freeze"]["backbone frozen"], rows["freeze"]["nothing frozen"]
    assert frozen.ap > free.ap and 2.0 < frozen.images_per_second / free.images_per_second < 2.5  # as lesson 9 says
    text = paper_tables.tables()
    assert text.count("<td>–</td>") == 3 + 3  # three γ and three sets of anchors have no run here


def test_measured_rivals_are_shown(assets):
    other = {**RIVAL, "detector": "Faster R-CNN, torchvision's", "ap_low": 0.61, "ap_high": 0.61}
    groups = [{"title": "600 steps of 8, 3 seeds", "command": "the command", "settings": {}, "rows": [RIVAL, other]}]
    (assets / "rivals.json").write_text(json.dumps({"groups": groups}))
    text = measured.show_rivals()
    assert "0.610 (0.600–0.620)" in text and "Faster R-CNN, torchvision&#39;s" in text and ">42<" in text
    assert "600 steps of 8, 3 seeds" in text and "Command: the command" in text


def test_the_text_on_one_stage_or_two_agrees_with_the_results():
    groups = measured._read_results("rivals.json")["groups"]
    assert [each["title"] for each in groups] == [
        "500 steps of 8, 3 seeds", "1,500 steps of 8, one seed", "8,500 steps of 8, one seed"
    ]  # fmt: skip
    found = [{row["detector"]: row for row in each["rows"]} for each in groups]
    ours, theirs = ([each[name] for each in found] for name in ("RetinaNet, ours", "Faster R-CNN, torchvision's"))
    lead = [two["ap"] - one["ap"] for one, two in zip(ours, theirs, strict=True)]
    assert min(lead[:2]) > 0.3 and round(lead[2], 2) == 0.04
    by_size = [round(theirs[2][f"ap_{size}"] - ours[2][f"ap_{size}"], 2) for size in ("small", "medium", "large")]
    assert by_size == [0.07, 0.02, 0.03]
    assert all(2 * one["milliseconds"] < two["milliseconds"] for one, two in zip(ours, theirs, strict=True))
    one, two = STAGES
    assert round(one.ap - two.ap, 1) == 1.6 and one.ap50 < two.ap50


def test_the_papers_detectors_are_shown_beside_ours():
    measured._read_results.cache_clear()
    shown = cells_of(measured.show_rivals(), "Faster R-CNN with FPN")
    assert shown == ["Faster R-CNN with FPN", "36.2", "59.1", "18.2", "39.0", "48.2", "172"]


def test_losses_at_their_best_rates_are_shown(assets):
    kept = {
        "command": "the command", "settings": {"training.steps": 1500},
        "search": [{
            "loss": "focal loss", "best": 0.002,
            "ap": {"0.001": 0.31, "0.002": 0.42, "0.004": 0.0, "0.008": 0.0},
            "last_loss": {"0.001": 0.9, "0.002": 0.8, "0.004": 5.128, "0.008": None},
        }],
        "rows": [{**ROW.to_dict(), "paper": 34.0}], "history": {"focal loss": [[150, 0.25], [300, 0.5]]},
    }  # fmt: skip
    (assets / "best_rates.json").write_text(json.dumps(kept))
    text = measured.show_best_rates()
    assert "1,500 steps, 3 seeds" in text and "Command: the command" in text
    cells = cells_of(text, "focal loss")
    assert cells == [
        "focal loss", "0.001: 0.310, 0.002: 0.420, 0.004: 0.000 (5.13), 0.008: 0.000 (diverged)", "0.002",
        "0.500 (0.400–0.600)", "0.800", "0.550", "0.25 0.50", "34.0",
    ]  # fmt: skip


def test_the_text_on_the_best_rates_agrees_with_the_results():
    kept = measured._read_results("best_rates.json")
    focal, plain, weighted, hardest = (row["ap"] for row in kept["rows"])
    assert abs(focal - hardest) < 0.02 and max(plain, weighted) < min(focal, hardest) / 4
    courses = [[ap for _, ap in course] for course in kept["history"].values()]
    for levelled in (courses[0], courses[3]):
        assert levelled[-1] - levelled[-3] < 0.03
    for course in courses[1:3]:
        assert course[0] == 0 and course[-1] > 0
    assert kept["settings"]["training.steps"] == 1500 and 90_000 * 16 == 120 * 1500 * 8
    papers = [row["paper"] for row in kept["rows"]]
    assert round(papers[1] / papers[0], 2) == 0.89 and papers[3] < BESIDE_OHEM
    rates = kept["search"][2]
    assert rates["best"] == max(map(float, rates["ap"]))


def test_methods_are_shown_with_what_all_seeds_agree_on(assets):
    results = {
        "default": [Result(0.3, 0.5, 0.1, 0.037, 0.3), Result(0.2, 0.4, 0.1, 0.037, 0.3)],
        "ATSS": [Result(0.32, 0.5, 0.08, 0.037, 0.3), Result(0.25, 0.4, 0.14, 0.037, 0.3)],
        "DIoU-NMS": [Result(0.29, 0.5, 0.1, 0.04), Result(None, None, None, None, ending="diverged")],
    }
    kept = {"command": "the command", "settings": {"training.steps": 120}, "rows": summarise(results)}
    (assets / "methods.json").write_text(json.dumps(kept))
    text = measured.show_methods()
    assert "120 steps, 2 seeds" in text and "Command: the command" in text
    assert "Zhang et al. 2020, algorithm 1: retinanet/<wbr>assigners/<wbr>test_atss.py" in text
    assert cells_of(text, "ATSS")[1:] == [
        "0.285", "+0.035 (+0.020 … +0.050), better in all", "0.450", "0.110", "+0.010 (−0.020 … +0.040), undecided",
        "300", "37",
    ]  # fmt: skip
    row = cells_of(text, "DIoU-NMS (1 of 2 ended early)")
    assert cells_of(text, "default")[2] == "–"
    assert row[2] == "−0.010 (−0.010 … −0.010), worse in all" and row[6:] == ["–", "40"]


def test_the_shipped_results_can_be_shown():
    measured._read_results.cache_clear()
    shown = measured.show_presets(), measured.show_methods(), measured.show_best_rates(), measured.show_rivals()
    assert all(isinstance(each, str) for each in shown)


@pytest.mark.slow
def test_a_variant_that_diverged_says_when(tmp_path):
    """The real thing: as in the paper, cross-entropy without π does not survive its first steps, and with π it does."""
    preset = PRESETS["prior"]
    without, with_prior = preset.variants
    assert preset.config(without, 0).model.prior_probability == 0.5
    quick = {"training.steps": 12, "training.eval_images": 1}
    list(run_comparison(preset, tmp_path, overrides=quick))
    curves = tuple(RunRecords(part, *part.folder.read_records()) for part in plan_runs(preset, tmp_path, 1))
    assert [read_result(curve.run).state for curve in curves] == [DIVERGED, FINISHED]
    assert len(curves[0].steps) < 12 and curves[0].steps[0]["classification"] > 100
    assert all(record["classification"] < 20 for record in curves[1].steps)
    text = view.status(RunProgress(RunStatus(FINISHED), preset, curves), preset)
    assert (
        f"{without.name}: Step {len(curves[0].steps) + 1} diverged" in text and f"{with_prior.name}: Step" not in text
    )


def step(number: int, loss: float) -> dict:
    return {"step": number, "classification": loss}


def test_curves_keep_the_first_step_and_average_the_rest(tmp_path):
    part = VariantRun(Variant("one", {}), 0, RunFolder(tmp_path))
    steps = [step(1, 100.0), *(step(number, float(number)) for number in range(2, 22))]
    evaluations = [{"step": 21, "metrics": {"ap": 0.25}}]
    figure = view.figure(RunProgress(RunStatus(RUNNING), PRESETS["loss"], (RunRecords(part, steps, evaluations),)))
    loss, precision = figure["data"]
    assert loss["x"] == [1, 11, 21] and loss["y"] == [100.0, 6.5, 16.5]
    assert precision["x"] == [21] and precision["y"] == [0.25] and precision["yaxis"] == "y2"
    begun = view.figure(RunProgress(RunStatus(RUNNING), PRESETS["loss"], (RunRecords(part, steps[:1], []),)))
    assert len(begun["data"]) == 1


def test_every_variant_of_a_comparison_has_a_curve_in_a_colour_of_its_own(tmp_path):
    for key, preset in PRESETS.items():
        records = tuple(
            RunRecords(VariantRun(each, 0, RunFolder(tmp_path / each.name)), [step(1, 2.0), step(2, 1.0)], [])
            for each in preset.variants
        )
        drawn = view.figure(RunProgress(RunStatus(RUNNING), preset, records))["data"]
        assert [each["name"] for each in drawn] == [each.name for each in preset.variants], key
        assert len({each["line"]["color"] for each in drawn}) == len(drawn), key


def test_a_variant_that_diverged_shows_every_step_and_its_last_finite_one(tmp_path):
    """As observed: the loss went 350 → 6,715 → 258 while the box loss became infinite, which averages would hide."""
    part = VariantRun(Variant("without π", {}), 0, RunFolder(tmp_path))
    part.folder.write_status(DIVERGED, "Step 4 diverged (classification loss 300, box loss nan, gradient norm inf); …")
    paid, boxes = [350.0, 6715.0, 258.0], [1.0, 2.0, 4e11]
    steps = [{**step(number, loss), "box": box} for number, (loss, box) in enumerate(zip(paid, boxes, strict=True), 1)]
    made = view.figure(RunProgress(RunStatus(FINISHED), PRESETS["prior"], (RunRecords(part, steps, []),)))
    loss, box, last = made["data"]
    assert (loss["x"], loss["y"], loss["mode"]) == ([1, 2, 3], paid, "lines+markers")
    assert (box["name"], box["y"]) == ("without π: box loss", boxes)
    assert (last["x"], last["y"]) == ([3], [4e11]) and "step 3, the last finite one; then the box loss" in last["name"]
    assert made["layout"]["yaxis"]["type"] == "log" and made["layout"]["yaxis"]["dtick"] >= 2
    text = view.status(RunProgress(RunStatus(FINISHED), PRESETS["prior"], (RunRecords(part, steps, []),)),
                             PRESETS["prior"])  # fmt: skip
    assert "It diverged at step 4: the box loss stopped being a finite number" in text

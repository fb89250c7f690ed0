"""Presets and comparisons: variants differ in one setting, and their results are reported correctly."""

import pytest

from core.cli.training.compare import format_table
from core.config import Config, knobs
from core.experiments.comparison import Row, plan_runs, read_result, run_comparison, summarise_variants
from core.experiments.presets import PRESETS, SHARED, Preset, Variant
from core.runs.folder import DIVERGED, FINISHED, RUNNING, STOPPED
from core.training.records import StepRecord

TINY = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 0, "inference.image_size": 64,
    "scenes.image_size": 64, "scenes.min_size": 0.3, "training.batch_size": 1, "training.steps": 2,
    "training.eval_images": 2, "training.eval_interval": 0,
}  # fmt: skip


@pytest.mark.parametrize("key", PRESETS)
def test_presets_are_valid_and_their_variants_differ(key):
    preset = PRESETS[key]
    configs = [preset.config(variant, 0) for variant in preset.variants]
    assert len(set(configs)) == len(configs) >= 2
    assert len({variant.name for variant in preset.variants}) == len(preset.variants)
    assert {path for variant in preset.variants for path in variant.settings} <= set(knobs())
    assert preset.config(preset.variants[0], 3).training.seed == 3
    assert preset.config(preset.variants[0], 0, **{"training.steps": 5}).training.steps == 5


def test_the_ablations_of_the_paper_have_its_results():
    """As in table 1: α without focusing, γ with the best α for it, anchors per location, OHEM."""
    found = {key: {variant.name: variant.paper for variant in preset.variants} for key, preset in PRESETS.items()}
    assert list(found["alpha"].values()) == [0.0, 10.8, 30.2, 31.1, 30.8, 28.7, 25.1]
    assert found["gamma"] == {"γ = 0": 31.1, "γ = 1": 33.7, "γ = 2": 34.0, "γ = 5": 32.2}
    assert found["anchors"] == {"nine anchors per location": 34.0, "one anchor per location": 30.3}
    assert found["prior"] == {"without π": None, "with π": 30.2}
    assert [*found["ohem"].values()] == [36.0, 32.8, None]
    assert set(found["thresholds"].values()) == set(found["freeze"].values()) == {None}
    losses = [PRESETS["alpha"].config(variant, 0).loss for variant in PRESETS["alpha"].variants]
    assert {(loss.kind, loss.gamma) for loss in losses} == {("balanced_cross_entropy", 2.0)}


def test_the_table_has_our_results_beside_the_papers():
    row = Row("γ = 2", 3, 1, 0.5, 0.4, 0.6, 0.8, 0.55, 2.5, 0.125, 30.0, None)
    head, line, other, note = format_table([row, row._replace(variant="else")], {"γ = 2": 34.0}).splitlines()
    assert head.split()[0] == "AP" and head.endswith("AP, paper") and "COCO" in note
    assert "0.500 (0.400–0.600)" in line and line.index("34.0%") + 5 == len(head) and "1 of 3 diverged" in line
    assert "34.0" not in other and len(line) == len(other)
    none = format_table([Row("waiting", *(0, 0), *[None] * 9)], {}).splitlines()[1]
    assert none.split() == ["waiting", "–", "–", "–", "–", "→", "–", "–", "–", "–"]


def test_shared_settings_name_nothing_twice():
    """A preset overrides shared settings only with different values."""
    for preset in PRESETS.values():
        assert all(SHARED.get(path) != value for path, value in preset.settings.items())


def pair(**settings) -> Preset:
    return Preset("two", "look", (Variant("one", {}), Variant("other", {"loss.gamma": 0, **settings})))


@pytest.mark.slow
def test_a_comparison_trains_every_arm_and_seed(tmp_path):
    seen = list(run_comparison(pair(), tmp_path, seeds=2, overrides=TINY))
    ran = [
        (part.variant.name, part.seed) for part, record in seen if isinstance(record, StepRecord) and record.step == 1
    ]
    assert ran == [("one", 0), ("other", 0), ("one", 1), ("other", 1)]
    results = [read_result(part) for part in plan_runs(pair(), tmp_path, 2)]
    assert {each.state for each in results} == {FINISHED}
    first = next(record for part, record in seen if isinstance(record, StepRecord))
    assert results[0].first_loss == first.classification and results[0].history[-1][0] == 2
    assert Config.from_file(results and plan_runs(pair(), tmp_path, 2)[1].folder.config).loss.gamma == 0
    table = summarise_variants(results)
    assert [(row.variant, row.runs, row.failed) for row in table] == [("one", 2, 0), ("other", 2, 0)]
    assert table[0].first_loss == pytest.approx((results[0].first_loss + results[2].first_loss) / 2)
    assert list(run_comparison(pair(), tmp_path, seeds=2, overrides=TINY)) == []  # nothing is left to do


@pytest.mark.slow
def test_a_stopped_comparison_is_continued(tmp_path):
    records = run_comparison(pair(), tmp_path, overrides=TINY)
    next(records)
    records.close()
    first, second = plan_runs(pair(), tmp_path, 1)
    assert first.folder.read_status().state == STOPPED and read_result(second).state == "waiting"
    steps = [
        record.step for _, record in run_comparison(pair(), tmp_path, overrides=TINY) if isinstance(record, StepRecord)
    ]
    assert steps == [2, 1, 2]


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path):
    first = plan_runs(pair(), tmp_path, 1)[0].folder
    first.create()
    first.write_status(RUNNING)
    steps = [
        record.step for _, record in run_comparison(pair(), tmp_path, overrides=TINY) if isinstance(record, StepRecord)
    ]
    assert steps == [1, 2, 1, 2]


@pytest.mark.slow
def test_a_variant_that_diverges_does_not_stop_the_others(tmp_path):
    wild = {"training.learning_rate": 10, "training.optimizer": "sgd", "training.clip_norm": 0, "training.steps": 60}
    preset = pair()._replace(variants=(Variant("wild", wild), Variant("tame", {"training.steps": 2})))
    overrides = {path: value for path, value in TINY.items() if path != "training.steps"}
    list(run_comparison(preset, tmp_path, overrides=overrides | {"training.eval_images": 1}))
    results = [read_result(part) for part in plan_runs(preset, tmp_path, 1)]
    assert [each.state for each in results] == [DIVERGED, FINISHED]
    assert "diverged" in results[0].message and summarise_variants(results)[0].failed == 1

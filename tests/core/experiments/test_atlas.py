"""The stability atlas: its grid, its criterion, its file, and the command that trains its runs."""

import json
import math

import pytest
import torch

from benchmarks import atlas as command
from core.config import Config, ConfigError, Loss
from core.errors import UserError
from core.experiments.atlas import (
    AXES,
    BALANCED,
    BASE,
    FOCAL,
    STEPS,
    build_config,
    find_nearest,
    list_places,
    parse_key,
    to_key,
)
from core.experiments.atlas_file import PATH, Atlas, build_command, read_atlas, write_atlas
from core.experiments.atlas_outcome import (
    DIVERGES,
    LEARNS,
    LEARNT,
    OUTCOMES,
    STALLS,
    Run,
    classify,
    classify_all,
    summarise_losses,
)
from core.retinanet.losses import classification_loss
from core.runs.folder import RunFolder
from core.runs.train import run_training
from core.training.records import StepRecord

SMALL = {
    "loss.kind": ("balanced_cross_entropy", "focal", "cross_entropy", "varifocal"),
    "loss.gamma": (0.0, 2.0),
    "loss.alpha": (0.25, 0.5, 0.75),
    "model.prior_probability": (0.01, 0.5),
    "training.learning_rate": (0.01,),
}
PLACES = list_places(SMALL)


def run(*losses: float, ap50: float | None = 0.0, steps: int = 0, seed: int = 0) -> Run:
    return Run(seed, steps or len(losses), len(losses), summarise_losses(losses), ap50)


def test_only_combinations_that_act_are_places():
    # focal 2 · 3 · 2, of which balanced cross-entropy are 3 · 2; cross-entropy 2 (π alone acts), and varifocal 2 · 2,
    # which has another α
    assert len(PLACES) == 12 + 2 + 4
    assert ("cross_entropy", None, None, 0.5, 0.01) in PLACES and ("varifocal", 2.0, None, 0.01, 0.01) in PLACES


def test_balanced_cross_entropy_is_the_focal_loss_that_stands_for_it():
    logits, targets = torch.linspace(-9, 9, 50), (torch.arange(50) % 3 == 0).float()
    for alpha in AXES["loss.alpha"]:
        balanced, focal = Loss(kind=BALANCED, alpha=alpha, gamma=5), Loss(kind=FOCAL, alpha=alpha, gamma=0)
        torch.testing.assert_close(
            classification_loss(logits, targets, balanced), classification_loss(logits, targets, focal)
        )


def test_the_shipped_grid_has_as_many_places_as_counted_by_hand():
    per_loss = {"focal": 3 * 3 * 3 * 4, "balanced_cross_entropy": 0}  # which is focal loss with γ = 0
    per_loss |= dict.fromkeys(("cross_entropy", "ohem", "quality_focal", "ghm"), 3 * 4)
    places = list_places()
    assert {kind: sum(place[0] == kind for place in places) for kind in AXES["loss.kind"]} == per_loss
    assert len({build_config(place, 0) for place in places}) == len(places) == 156
    plan = command.describe_plan(command.list_jobs(3), 100, 3.6)
    assert "156 combinations" in plan and "468 runs of 40 steps" in plan and "100 are left" in plan
    assert "0.1 hours" in plan


def test_the_whole_grid_is_trained_with_one_seed_before_the_next():
    jobs = command.list_jobs(2, PLACES)
    assert [job.seed for job in jobs] == [0] * 18 + [1] * 18 and len({job.key for job in jobs}) == 36


@pytest.mark.parametrize("place", [list_places()[0], list_places()[-1], ("cross_entropy", None, None, 0.5, 0.01)])
def test_keys_name_places(place):
    assert parse_key(to_key(place)) == place


@pytest.mark.parametrize("text", ["", "focal", "focal,2,0.25,0.01,0.02", "cross_entropy,2,0.25,0.01,0.01", "nan" * 100])
def test_other_texts_name_none(text):
    with pytest.raises(ConfigError, match="no such run"):
        parse_key(text)


def test_settings_stand_at_the_nearest_place():
    def nearest(**values):
        return find_nearest(
            Config.from_flat({"model.heads": "new", **{k.replace("__", "."): v for k, v in values.items()}})
        )

    assert nearest() == ("focal", 2.0, 0.25, 0.01, 0.001)
    assert nearest(loss__gamma=3.4, loss__alpha=0.66) == ("focal", 2.0, 0.75, 0.01, 0.001)
    assert nearest(training__learning_rate=0.04)[4] == 0.1  # by the ratio: 4 times 0.01, but 2.5 times less than 0.1
    assert nearest(training__learning_rate=0.0)[4] == 0.001
    assert nearest(model__prior_probability=0.04)[3] == 0.1
    assert nearest(loss__kind="cross_entropy", loss__gamma=5.0) == ("cross_entropy", None, None, 0.01, 0.001)
    assert nearest(loss__kind="poly1_focal") is None
    assert nearest(loss__kind="balanced_cross_entropy", loss__gamma=5.0) == ("focal", 0.0, 0.25, 0.01, 0.001)


def test_every_place_is_nearest_to_its_own_settings():
    for place in list_places():
        assert find_nearest(build_config(place, 0)) == place


def test_outcomes_of_curves_by_hand():
    falling = [4.0, 3.0, 2.0, 1.0]
    assert classify(run(*falling, ap50=LEARNT)) == LEARNS
    assert classify(run(*falling, ap50=LEARNT - 0.001)) == STALLS  # a lower loss alone is no detector
    assert classify(run(4.0, 4.0, 4.0)) == STALLS
    assert classify(run(4.0, 50.0, 7.9, ap50=0.0)) == STALLS  # it came back
    assert classify(run(4.0, 3.0, 8.1, ap50=0.3)) == DIVERGES  # twice as high as at first
    assert classify(run(4.0, 3.0, ap50=None, steps=40)) == DIVERGES  # the trainer ended it
    assert classify(run(ap50=None, steps=40)) == DIVERGES  # in its first step


def test_the_outcome_of_seeds_is_that_of_most():
    learns, stalls, diverges = run(1.0, 0.5, ap50=0.5), run(1.0, 0.5), run(1.0, 9.0)
    assert [classify(each) for each in (learns, stalls, diverges)] == [*OUTCOMES]
    assert classify_all([learns, learns, diverges]) == LEARNS
    assert classify_all([learns, stalls]) == STALLS and classify_all([learns, stalls, diverges]) == DIVERGES


def test_curves_have_the_mean_of_each_window():
    losses = [8.0, 6, 4, 2, 1, 3, 5, 1, 1, 4]
    expected = ((1, 8), (2, 6), (3, 4), (4, 2), (5, 1), (7, 4), (10, 2))
    assert summarise_losses(losses) == expected
    assert summarise_losses(losses[:9]) == (*expected[:-1], (9, 1))  # the trainer ended the run
    assert summarise_losses([]) == () and summarise_losses([1.23456]) == ((1, 1.23),)
    assert [step for step, _ in summarise_losses([1.0] * STEPS)][-1] == STEPS


def test_the_file_gives_back_what_was_written(tmp_path):
    runs = {
        list_places()[0]: (run(4.0, 3.0, ap50=0.1234), run(4.0, ap50=None, steps=40, seed=1)),
        list_places()[-1]: (run(ap50=None, steps=40),),
    }
    atlas = Atlas("a command", 2.5, dict(BASE), runs)
    write_atlas(tmp_path / "atlas.json", atlas)
    assert read_atlas(tmp_path / "atlas.json") == atlas


def test_the_command_of_a_place_names_every_setting(tmp_path):
    words = build_command(("cross_entropy", None, None, 0.5, 0.01), 2).split()
    flags = dict(zip(words[words.index("DIR") + 1 :: 2], words[words.index("DIR") + 2 :: 2], strict=True))
    assert Config.from_flat({flag.removeprefix("--"): value for flag, value in flags.items()}) == build_config(
        ("cross_entropy", None, None, 0.5, 0.01), 2
    )


class Interrupted(Exception):
    """Ends the command between two runs, as a kill would."""


def trainer(done: list, *, most: int = 10**6):
    def train(place, seed):
        if len(done) == most:
            raise Interrupted
        done.append((place, seed))
        return run(float(len(done)), 1.0, ap50=0.2, seed=seed)

    return train


def test_an_interrupted_command_goes_on_where_it_was(tmp_path):
    path, jobs, done = tmp_path / "work", command.list_jobs(2, PLACES), []
    for most in (5, 30, 10**6):
        with command.open_work(path, dict(BASE)) as journal:
            try:
                list(command.train_left(journal, jobs, trainer(done, most=most)))
            except Interrupted:
                assert journal.count == most
    assert done == [tuple(job) for job in jobs]  # each once, in order


def test_a_run_whose_record_was_cut_is_trained_again(tmp_path):
    path, jobs, done = tmp_path / "work", command.list_jobs(1, PLACES), []
    with command.open_work(path, dict(BASE)) as journal:
        list(command.train_left(journal, jobs, trainer(done)))
    path.write_bytes(path.read_bytes()[:-7])  # a kill while the last record was written
    with command.open_work(path, dict(BASE)) as journal:
        list(command.train_left(journal, jobs, trainer(done)))
    assert done[len(jobs) :] == [tuple(jobs[-1])]


def test_the_work_of_other_settings_is_refused(tmp_path):
    command.open_work(tmp_path / "work", dict(BASE)).close()
    with pytest.raises(UserError, match="other settings: name another file"):
        command.open_work(tmp_path / "work", dict(BASE) | {"training.batch_size": 8})


def test_all_finished_runs_are_collected(tmp_path):
    places = list_places()[:3]
    jobs = command.list_jobs(2, places)[:5]  # with the second seed, two of three
    with command.open_work(tmp_path / "work", dict(BASE)) as journal:
        list(command.train_left(journal, jobs, trainer([])))
        found = command.collect(journal, dict(BASE))
    assert [len(runs) for runs in found.runs.values()] == [2, 2, 1] and tuple(found.runs) == places
    assert found.runs[places[1]] == (run(2.0, 1.0, ap50=0.2), run(5.0, 1.0, ap50=0.2, seed=1))


def test_the_shipped_file_is_a_small_atlas_of_the_grid():
    atlas, text = read_atlas(), PATH.read_text("utf-8")
    assert len(text) < 300_000 and dict(atlas.base) == dict(BASE) == json.loads(text)["base"]
    assert set(atlas.runs) == set(list_places())  # every combination, at least with one seed
    for runs in atlas.runs.values():
        assert [each.seed for each in runs] == list(range(len(runs))) and runs
        for each in runs:
            assert each.steps == STEPS and 0 <= each.ended <= STEPS and (each.ap50 is None) == (each.ended < STEPS)
            assert each.ap50 is None or 0 <= each.ap50 <= 1
            assert all(math.isfinite(loss) and loss >= 0 for _, loss in each.curve)
            assert [step for step, _ in each.curve] == [step for step, _ in summarise_losses([1.0] * each.ended)]
    assert {classify_all(runs) for runs in atlas.runs.values()} == set(OUTCOMES)


@pytest.mark.slow
def test_runs_of_the_atlas_are_those_of_the_command_train(tmp_path):
    """Kept scenes and feature maps change nothing but rounding, also in a later run that finds all of them."""
    config = build_config(("focal", 2.0, 0.25, 0.01, 0.1), 0).replace(
        {"training.steps": 3, "training.batch_size": 2, "training.eval_images": 2}
    )
    records = list(run_training(config, "scenes", RunFolder(tmp_path / "run")))
    losses = [each.classification + each.box for each in records if isinstance(each, StepRecord)]
    shared = command.Shared(config)
    first = shared.train(config)
    assert first == shared.train(config)
    assert [loss for _, loss in first.curve] == pytest.approx(losses, rel=5e-3) and first.ended == 3

"""Messages name what the visitor sees: labels and steps instead of the paths of hyperparameters."""

import re
import tempfile
from pathlib import Path

import pytest

from core.config import Config, ConfigError, knobs
from core.data.untrusted import DataError
from core.errors import PictureError
from core.evaluation.damage import DamagedPictures
from core.io.troubles import REMEDIES, explain
from core.training.divergence import DivergedStep, explain_divergence
from core.weights.architecture import WeightsError
from core.weights.sources import load_weights
from playground.steps import STEPS
from playground.support.groups import TITLES
from playground.support.visitors import VISITORS
from playground.support.wording import SPELLINGS, hide_server, name_choice, name_knobs

PATH = re.compile("|".join(map(re.escape, knobs())))


def refuse(**values) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        Config.from_flat({name.replace("__", "."): value for name, value in values.items()})
    return error.value


def test_a_contradiction_names_both_knobs_their_values_and_their_step():
    error = refuse(matching__bg_iou_threshold=0.7)
    assert str(error).startswith("matching.bg_iou_threshold (0.7) must")  # as the command line writes it
    assert name_knobs(error) == (
        "“Background IoU threshold” (0.7) must not be above “Foreground IoU threshold” (0.5): lower the first or raise "
        "the second. Both knobs are in the step Assignment."
    )


def test_knobs_of_several_steps_are_told_apart():
    told = name_knobs(refuse(training__cache_features=100))
    assert told.endswith("You find “Feature cache” in the step Training, “Frozen stages” in the step Network.")


@pytest.mark.parametrize("path", knobs())
def test_every_knob_has_its_label_and_its_step(path):
    told = name_knobs(f"Set {path} to 3.")
    title = next(step.title for step in STEPS.values() if step.has_knob(knobs()[path]))
    assert told == f"Set “{knobs()[path].label}” to 3. That knob is in the step {title}."


def test_values_read_as_the_widgets_show_them():
    told = name_knobs(refuse(loss__kind="none"))
    assert "one of focal, cross entropy, balanced cross entropy" in told
    assert name_knobs("matching.force_best_match = true").startswith("“Force best match” = on. ")


def test_what_a_link_must_say_and_names_of_files_stay():
    for text in (
        "loss.gama is not a hyperparameter. Did you mean loss.gamma?",
        "gamma is not a hyperparameter: its name has the form section.field, as in loss.gamma.",
        "It is in loss.gamma.json.",
        "No knob.",
    ):
        assert name_knobs(text) == text


def test_advice_for_a_diverged_run_has_no_path_left():
    last = DivergedStep(3, float("nan"), 1.0, 5.0, 1.0)
    for values in (
        {"training.learning_rate": 1.0},
        {"model.prior_probability": 0.5},
        {"training.precision": "bf16"},
        {},
    ):
        told = name_knobs(explain_divergence(Config.from_flat(values), last))
        assert not PATH.search(told) and "in the step" in told, told


def test_the_steps_are_those_with_a_title():
    assert list(STEPS) == list(TITLES)


def test_choices_are_written_as_people_write_them():
    assert [name_choice(each) for each in ("smooth_l1", "adamw", "cross_entropy", 18)] == [
        "smooth L1", "AdamW", "cross entropy", "18",
    ]  # fmt: skip
    choices = {str(each) for knob in knobs().values() for each in knob.choices}
    assert set(SPELLINGS) <= choices  # none is left over


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("/srv/data/set/a.jpg cannot be read: check it.", "…/a.jpg cannot be read: check it."),
        ("Permission denied: '/home/me/a.pth'", "Permission denied: '…/a.pth'"),
        ("It names '/etc/passwd', which is not inside.", "It names '…/passwd', which is not inside."),
        (r"C:\Users\me\a.jpg is empty", "…/a.jpg is empty"),
        ("(in /srv/data/a.csv) and “/srv/b”, too", "(in …/a.csv) and “…/b”, too"),
        ("images/train, 3/4, and/or, a / b, ../x and ~/y", "images/train, 3/4, and/or, a / b, ../x and ~/y"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("the class '/m/01g317' of Open Images", "the class '/m/01g317' of Open Images"),
        (f"{Path.cwd()}/a b.jpg is empty", "…/a b.jpg is empty"),
        (f"{tempfile.gettempdir()}/x/y/a.jpg is empty", "…/a.jpg is empty"),
    ],
)
def test_no_message_tells_a_path_of_the_server(message, expected):
    assert hide_server(message) == name_knobs(message) == expected


def test_visitors_read_what_they_can_do(monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    for numbers, remedy in REMEDIES.items():
        told = hide_server(f"metrics.jsonl cannot be written: {explain(OSError(numbers[0], 'Bad luck'))}")
        assert told.startswith("metrics.jsonl cannot be written: Bad luck. ") and "the operator of this server" in told
        assert remedy not in told and told.endswith(".")
    assert hide_server("The run failed unexpectedly (KeyError: 'a'); see its log: /srv/my runs/1/log.txt.") == (
        "The run failed unexpectedly (KeyError: 'a'); ask the operator of this server to look into its log."
    )


def test_whoever_has_the_computer_reads_what_they_can_do():
    for numbers, remedy in REMEDIES.items():
        told = hide_server(f"metrics.jsonl cannot be written: {explain(OSError(numbers[0], 'Bad luck'))}")
        assert told == f"metrics.jsonl cannot be written: Bad luck. {remedy}."
    assert hide_server("It failed; see its log: /srv/runs/1/log.txt.") == "It failed; see its log: …/log.txt."


@pytest.mark.parametrize("apart", [True, False])
def test_remedies_are_those_of_the_page(apart, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", apart)
    damaged = DamagedPictures(1)
    with pytest.raises(DataError) as raised:
        damaged.add(0, PictureError("a.png is empty: copy it again."))
    assert "correct them, the check of the data set in the Picture step lists them." in hide_server(str(raised.value))
    with pytest.raises(WeightsError) as missing:
        load_weights("/srv/runs/1/uploaded/w.pth")
    assert hide_server(str(missing.value)).endswith("w.pth is not on this server any more: choose another.")


def test_no_message_is_long():
    said = name_knobs("/a" * 10_000 + " is bad: " + "x" * 10_000 + ": remove it.")
    assert len(said) <= 500 and said.endswith("x: remove it.")

"""How a run diverged is read from its status, also from that of an earlier version."""

import math

import pytest

from core.config import Config
from core.runs.divergence import Divergence, read_divergence
from core.runs.folder import DIVERGED, FAILED, RunFolder, failure_state
from core.training.divergence import DivergedStep, diverged
from core.training.records import TrainingError


def test_the_message_of_a_diverged_run_tells_its_step_and_losses():
    message = str(diverged(Config(), DivergedStep(7, 258.0, math.nan, math.inf, 0.01)))
    found = read_divergence(message)
    assert found[:2] == (7, 258.0) and math.isnan(found.box) and found.gradient_norm == math.inf


@pytest.mark.parametrize(
    ("losses", "broken", "said"),
    [
        ((258.0, math.nan, math.nan), ("box",), "the box loss stopped being a finite number"),
        ((math.inf, 3.0, math.nan), ("classification",), "the classification loss stopped being a finite number"),
        ((math.nan, math.nan, math.nan), ("classification", "box"), "both losses"),
        ((2.0, 3.0, math.inf), ("box",), "the gradient"),
        ((2000.0, 3.0, 1.0), ("classification",), "far above its first value, mostly the classification loss"),
    ],
)
def test_what_broke_first_is_named(losses, broken, said):
    divergence = Divergence(7, *losses)
    assert divergence.broken == broken and said in divergence.cause


@pytest.mark.parametrize("message", ["", "Step 7 diverged", "Step x diverged (classification loss 1, box loss 2, "
                                     "gradient norm 3)", "Step 7 diverged (classification loss a, box loss 2, "
                                     "gradient norm 3)", "No space left on the disk."])  # fmt: skip
def test_other_messages_tell_of_no_divergence(message):
    assert read_divergence(message) is None


def test_a_run_of_an_earlier_version_that_diverged_did_not_fail(tmp_path):
    folder = RunFolder(tmp_path)
    message = str(diverged(Config(), DivergedStep(7, 258.0, math.nan, math.inf, 0.01)))
    folder.write_status(FAILED, message)
    assert folder.read_status()[:2] == (DIVERGED, message)
    folder.write_status(FAILED, "No space left on the disk.")
    assert folder.read_status().state == FAILED


def test_only_divergence_is_no_failure():
    assert failure_state(diverged(Config(), DivergedStep(7, math.nan, 1.0, 1.0, 0.01))) == DIVERGED
    assert failure_state(TrainingError("no")) == failure_state(OSError()) == FAILED

"""Rows of tables point at the boxes on the picture that they are about."""

import re

import pytest

from core.config import Config
from playground.data.picture import render_picture
from playground.inspector.rescue_report import LISTED
from playground.inspector.rescues import find
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.dials import ON, Dials
from playground.steps.loss.steering import STEERS
from playground.steps.step import Focus
from tests.playground.steps.drawable import require_drawable


@pytest.fixture(scope="module")
def here():
    config = Config.from_flat({"inference.score_threshold": 0.05})
    return Pipeline(render_picture(config.scenes), config)


def name_rows(key, title, here, focus):
    """Returns what each row of a table points at."""
    text = require_drawable(STEPS[key].build_view(here, focus), here)
    table = f"{text.readout}{text.more}".partition(title)[2].partition("</table>")[0]
    return re.findall(r'data-box="([^"]+)"', table)


def test_each_of_the_best_detections_is_on_the_picture(here):
    named = name_rows("detections", "Best detections", here, Focus())
    strong = [each for each in named if each.startswith("kept ")]
    assert len(named) == 50 > len(strong) > 0
    assert named == [f"kept {index}" for index in range(len(strong))] + [
        f"weaker {index}" for index in range(50 - len(strong))
    ]


@pytest.mark.parametrize(
    ("key", "title"), [("loss", "Who steers, by object"), ("assignment", "Anchors of each object")]
)
def test_rows_of_objects_point_at_the_objects(here, key, title):
    named = name_rows(key, title, here, Focus(curve=STEERS))
    assert sorted(named, key=lambda each: int(each.split()[1])) == [f"truth {i}" for i in range(len(here.objects[0]))]


def test_rows_of_faults_point_at_the_missed_objects_and_at_the_detections(here):
    missing = Pipeline(here.picture, here.config.replace({"inference.score_threshold": 0.5}))
    verdicts = find(missing).rescues.verdicts[:LISTED]
    named = name_rows("detections", "every fault", missing, Focus(dials=Dials(rescue=ON)))
    assert {each.fault.detection < 0 for each in verdicts} == {each.split()[0] == "truth" for each in named}
    assert len(set(named)) == len(verdicts) > 0 and not any(each.startswith("at ") for each in named)
    places = [int(each.split()[1]) for each in named if each.startswith("kept ")]
    labels = missing.candidates.label[missing.fates.order]
    faulty = [each.fault for each in verdicts if each.fault.detection >= 0]
    assert {int(labels[place]) for place in places} == {fault.label for fault in faulty}

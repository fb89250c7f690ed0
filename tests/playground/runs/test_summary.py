from pathlib import Path
from typing import Any

from core.config import Config
from core.data.left_out import MISSING, UNREADABLE, LeftOut
from core.experiments.comparison import VariantRun
from core.experiments.presets import Variant
from core.runs.about import About
from core.runs.folder import FINISHED, QUEUED, RunFolder, RunStatus
from core.training.records import StepRecord
from playground.runs.progress import RunProgress, RunRecords
from playground.runs.summary import MAX_EXAMPLES, NOTHING_KNOWN, build_status

PROGRESS = RunProgress(RunStatus(QUEUED, queue_position=1), None, ())


def status(about: About) -> str:
    return str(build_status(PROGRESS, "run", "", Config(), about))


def test_a_run_says_how_its_data_was_read_and_what_was_left_out():
    broken = tuple(f"The picture /srv/sets/mine/{number}<b>.png cannot be decoded." for number in range(20))
    left_out = LeftOut({UNREADABLE: 20, MISSING: 2}, {UNREADABLE: broken, MISSING: ("a.png", "b.png")})
    text = status(About("/srv/sets/mine", reading="YOLO, labels in /srv/sets/mine/labels.", left_out=left_out))
    assert "<summary>Data, 22 left out</summary>" in text and "YOLO, labels in labels." in text
    assert "Left out: 20 pictures that cannot be opened." in text and "Left out: 2 pictures that do not exist." in text
    assert text.count("cannot be decoded") == MAX_EXAMPLES
    assert "The picture 0&lt;b&gt;.png cannot be decoded." in text and "/srv" not in text


def test_the_source_of_the_command_line_may_be_the_folder_it_was_called_in():
    assert "COCO, boxes in train.json." in status(About(".", reading="COCO, boxes in train.json."))


def test_a_run_on_scenes_or_of_an_older_version_says_nothing_of_it():
    assert "<details" not in status(About()) and "Data" not in status(About("/srv/sets/mine"))
    assert "<summary>Data</summary>" in status(About("/srv/sets/mine", reading="COCO, train.json."))


def evaluated(step: int, ap50: float, losses: dict[str, float] | None) -> dict[str, Any]:
    record = {"step": step, "metrics": {"ap": ap50 / 2, "ap50": ap50}}
    return record if losses is None else {**record, "losses": losses}


def finished(
    evaluations: list[dict[str, Any]], message: str = "", about: About = NOTHING_KNOWN, **training: int
) -> str:
    run = VariantRun(Variant("", {}), 0, RunFolder(Path("run")))
    steps = [StepRecord(step, 0.5, 0.25, 0.1, 3, 1.0, 8.0)._asdict() for step in (1, 2)]
    progress = RunProgress(RunStatus(FINISHED, message), None, (), RunRecords(run, steps, evaluations))
    config = Config.from_flat({f"training.{name}": value for name, value in training.items()})
    return str(build_status(progress, "run", "", config, about))


def test_a_run_shows_the_evaluation_of_the_weights_that_it_keeps():
    evaluations = [
        evaluated(10, 0.75, {"classification": 0.25, "box": 0.125}),
        evaluated(20, 0.625, {"classification": 0.5, "box": 0.125}),
    ]
    ending = "Stopped early at step 20: the held-out loss has risen since step 10, whose weights are kept."
    best = finished(evaluations, ending, early_stopping=1)
    assert "Held-out pictures after step 10" in best and "0.75" in best and ending in best
    assert "0.375 (0.250 class, 0.125 box)" in best
    assert "Held-out pictures after step 20" in finished(evaluations)


def test_the_ap_of_rare_classes_is_shown_where_some_are_rare():
    record = evaluated(10, 0.75, None)
    assert "rare" not in finished([record])
    assert "AP of rare classes</td><td>0.125" in finished([{**record, "rare_ap": 0.125}])


def test_a_run_names_its_recipe():
    assert "few-pictures" in finished([], about=About(recipe="few-pictures"))
    assert "cake" not in finished([], about=About(recipe="cake")) and "recipe" not in finished([])


def test_a_run_of_an_earlier_version_has_no_held_out_loss():
    text = finished([evaluated(10, 0.75, None)])
    assert "Held-out pictures after step 10" in text and "held-out loss" not in text
    assert "held-out loss" not in finished([evaluated(10, 0.75, {"classification": None, "box": None})])

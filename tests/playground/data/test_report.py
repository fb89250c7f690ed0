from core.analysis.dataset_check import DataCheck, SplitSummary
from core.analysis.issues import KINDS, Issue
from core.data.left_out import MISSING, UNREADABLE
from playground.data.report import build_report


def make_issue(kind: str, *examples: str) -> Issue:
    about = KINDS[kind]
    return Issue(
        kind, len(examples), about.one if len(examples) == 1 else about.many, about.remedy, about.stops, examples
    )


def test_the_report_begins_with_how_the_data_was_read_and_what_is_left_out():
    issues = (make_issue(MISSING, "a.png", "b.png"), make_issue(UNREADABLE, "c.png"))
    splits = {"train": SplitSummary(5, 1, {"cat": 7}, 0)}
    reading = "Pascal VOC, 5 XML files in annots/; no splits given: 5 / 0 / 0 made by name."
    report = str(build_report("mine", DataCheck("Pascal VOC", ("cat",), splits, {}, issues, reading), {}, issues))
    start, rest = report.split("<table", 1)
    assert f"mine: {reading}" in start and "5 pictures, 1 class." in start
    assert "Left out, with examples below: 2 pictures that do not exist; 1 picture that cannot be opened." in start
    assert start.index("mine:") < start.index("5 pictures") < start.index("Left out")
    assert "<details><summary>2 pictures that do not exist; they are left out</summary>" in rest
    assert "<li>a.png</li><li>b.png</li>" in rest


def test_a_perfect_data_set_says_nothing_of_left_out_things():
    check = DataCheck("COCO", ("cat",), {"train": SplitSummary(5, 1, {"cat": 7}, 0)}, {}, (), "COCO, train.json.")
    report = str(build_report("mine", check, {}, ()))
    assert "Left out" not in report and "No issues were found." in report

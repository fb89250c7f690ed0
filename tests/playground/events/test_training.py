"""What the training step shows around a run."""

from playground.events.training import list_runs
from playground.runs.labels import Label, write_label
from playground.runs.service import RUNS
from playground.state.page_state import PageState
from tests.playground.made_runs import make_run, runs_at, step

ONE, TWO = "20260101-000000-001", "20260101-000000-002"


def test_the_list_calls_runs_what_people_call_them(tmp_path):
    folders = [make_run(tmp_path / name, {"training.steps": 1}, [step(1)]).path for name in (ONE, TWO)]
    with runs_at(tmp_path):
        before = RUNS.stamp("")
        write_label(folders[0], Label("small objects", ("a",)))
        assert RUNS.stamp("") != before  # a page that looks draws the list again
        choices = list_runs(PageState("training")).choices
    assert [text for text, _ in choices] == [f"finished · {TWO}", f"finished · small objects · {ONE}"]

"""Runs and evaluations with their figures and tables: axe finds nothing, no table is cut, all can be presented."""

import pytest

from core.runs.folder import DIVERGED
from playground.evaluations.query import ALONG, FIGURES, MAKING, SLICES
from tests.browser.looking import FRAMES
from tests.browser.test_accessibility import OPEN, check
from tests.browser.test_figures import CUT, present
from tests.playground.made_runs import evaluation, make_run, runs_at, step
from tests.waiting import wait

pytestmark = pytest.mark.browser
RUN, OTHER = "20260101-000000-001", "20260102-000000-002"
ENDED = "Step 9 diverged (classification loss 258, box loss nan, gradient norm inf); the weights are those of step 8."
TITLES = {
    FIGURES[0]: "Precision and recall at IoU 0.5",
    FIGURES[1]: "Calibration",
    FIGURES[2]: "Cost of each kind of error",
    FIGURES[3]: "AP by size of the object",
    SLICES: "AP by the objects' size",
    MAKING: "Precision and recall, one detection at a time",
    ALONG: "AP along",
}


@pytest.fixture
def address(address, tmp_path):
    long = [*(step(number, 1 / number) for number in range(1, 31)), evaluation(15, 0.25), evaluation(30, 0.5)]
    make_run(tmp_path / RUN, {"training.steps": 30}, long)
    growing = [step(number, 10.0**number) for number in range(1, 9)]
    make_run(tmp_path / OTHER, {"training.steps": 30}, growing, state=DIVERGED, message=ENDED)
    with runs_at(tmp_path):
        yield address


def look_over(page, what: str) -> None:
    """Opens all sections, checks accessibility and tables, and presents the figure."""
    page.evaluate(FRAMES)
    page.locator(".right summary").evaluate_all(OPEN)
    assert page.evaluate(CUT) == [], what
    assert check(page, what) == []
    page.set_viewport_size({"width": 1920, "height": 1080})
    present(page, ".right .plot", ".right .plot", (1300, 600))


@pytest.mark.parametrize("run", [RUN, OTHER])
def test_runs(shown, run):
    page = shown(f"step=training&run={run}")
    wait(lambda: page.get_attribute(".right .plot", "data-title") == "Training run")
    look_over(page, run)


@pytest.mark.parametrize("name", FIGURES)
def test_evaluations(shown, name):
    page = shown(f"step=evaluation&training.eval_images=3&figure={name}")
    figures = page.locator(".right").get_by_role("button", name=name, exact=True)
    if not figures.count():  # the next figures find the results
        page.get_by_role("button", name="Evaluate", exact=True).click()
    wait(figures.is_visible)
    if name == ALONG:
        page.locator(".right button", has_text="Measure").click()
    wait(lambda: (page.get_attribute(".right .plot", "data-title") or "").startswith(TITLES[name]))
    look_over(page, name)

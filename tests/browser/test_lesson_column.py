"""What a lesson's step names is in sight beside its text, at every step and on every screen."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from core.experiments.presets import PRESETS
from core.runs.about import About
from playground.layout.knob_widgets import element_id
from playground.lessons.lesson import LessonStep
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition, all_links
from tests.playground.made_runs import evaluation, make_run, runs_at, step

pytestmark = pytest.mark.browser
PHONE, TABLET, LAPTOP, WALL = (390, 844), (820, 1180), (1280, 800), (1920, 1080)
PLACES = {  # of the parts that a step can point at
    "picture": ".side-b .pic-stage",
    "strip": ".strip",
    "levels": ".levels",
    "readout": "#part-readout",
    "figure": ".right .plot",
    "more": "#part-more",
}
SETTLED = 30  # seconds in which a figure must have come to its new size, on a busy machine, too
FIGURES = (PLACES["figure"], ".lesson-pad")
DIALS = "#part-dials"
LABELS = "[...document.querySelectorAll('.dials label > span')].map((each) => each.textContent)"
RESULTS = [PLACES["figure"], "#part-readout .scroll:not([data-unnamed])"]  # of a comparison
GO = """query => {
  history.replaceState({depth: 0}, "", "?" + query);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
ARE_THERE = """({link, title, names}) => document.body.dataset.lesson === link
  && document.querySelector("#lesson-title h2")?.firstChild.textContent.trim() === title
  && names.every(name => document.querySelector(name)?.checkVisibility()
    && document.querySelector(name).getBoundingClientRect().height > 8)"""
MEASURE = """names => {
  const rect = name => { const {top, bottom, left, right} = document.querySelector(name).getBoundingClientRect();
                         return [top + scrollY, bottom + scrollY, left, right]; };
  const wide = document.documentElement.scrollWidth;
  return {places: Object.fromEntries(names.map(name => [name, rect(name)])), scrolled: scrollY, wide,
          way: document.querySelector(".lesson-way").getBoundingClientRect().height};
}"""


def named_places(step: LessonStep) -> list[str]:
    """Returns selectors of all that a step names, with its text and the picture, which every step shows."""
    ids = [*map(element_id, step.knobs), *step.named_controls]
    places = {**PLACES, "figure": ".lesson-pad"} if step.draw == "curve" else PLACES  # one draws on the figure
    named = [*(places[part] for part in step.look), *(f"#{name}" for name in ids)]
    return list(dict.fromkeys(["#lesson-title", "#lesson-text", PLACES["picture"], ".lesson-way", *named]))


def open_step(page, link: str, run: str = "") -> list[str]:
    """Opens a step and answers its question in the page that is already loaded; returns what the step names.

    Args:
        page: The page.
        link: Of the step.
        run: A comparison on show, whose results are named then, in place of what they push down.
    """
    position = LessonPosition.from_link(link)
    assert position is not None
    step, answer = position.step, "&answer=1" if position.step.num_choices else ""
    names = ["#lesson-title", "#lesson-text", ".lesson-way", "#compare", *RESULTS] if run else named_places(step)
    page.evaluate(GO, f"lesson={link}{answer}{run and f'&run={run}'}")
    page.wait_for_function(ARE_THERE, arg={"link": link, "title": step.title, "names": names})
    emphasised = re.findall(r"\*([^*]+)\*", f"{step.text} {step.reveal}".replace("\n", " "))
    return [*names, DIALS] if set(emphasised) & set(page.evaluate(LABELS)) else names


def find_hidden(measured: dict[str, Any], width: int, height: int) -> list[str]:
    """Returns what is out of sight; on a phone, what is further from the text than one swipe."""
    places = measured["places"]
    reach = height if width > PHONE[0] else 2 * height - measured["way"]
    hidden = [
        f"{name} at {top:.0f}–{bottom:.0f}, {left:.0f}–{right:.0f}"
        for name, (top, bottom, left, right) in places.items()
        if top < 0 or bottom > reach + 1 or left < -1 or right > width + 1
    ]
    if measured["wide"] > width:
        hidden.append(f"{measured['wide']} px wide")
    if width == PHONE[0]:
        together = [place for name, place in places.items() if name.startswith("#knob") or name in FIGURES]
        picture = places[PLACES["picture"]]
        room = height - (picture[1] - picture[0]) - measured["way"]
        if together and max(p[1] for p in together) - min(p[0] for p in together) > room:
            hidden.append(f"knobs and figure do not fit into {room:.0f} px together")
        if places["#lesson-title"][1] > height - measured["way"]:
            hidden.append("the title is below the fold")
    return hidden


def problems_of(page, names: list[str], size: tuple[int, int]) -> list[str]:
    """Returns what is out of sight on a screen, once the page has settled on it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    deadline = time.monotonic() + SETTLED
    while (hidden := find_hidden(page.evaluate(MEASURE, names), *size)) and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    return hidden


@pytest.mark.timeout(1800)  # seconds; 40 where nothing else is done
def test_all_that_a_step_names_is_in_sight_on_every_screen(opened):
    """Each step is opened once and seen on all screens: opening it takes longer than another size."""
    page = opened("lesson=dense.1")
    sizes, problems, count, with_dials = [PHONE, TABLET, LAPTOP, WALL], [], 0, 0
    for link in all_links():
        names = open_step(page, link)
        for size in sizes:
            problems += [f"{size[0]} px, {link}: {each}" for each in problems_of(page, names, size)]
        count += len(sizes) * len(names)
        with_dials += DIALS in names
        sizes.reverse()  # the next step begins on the screen that is there
    assert not problems, "\n".join(problems)
    steps = [step for lesson in lessons().values() for step in lesson.steps]
    named = sum(len(step.look) + len(step.knobs) + len(step.named_controls) for step in steps)
    assert len(all_links()) == len(steps) > 40 and named > 80
    assert count >= 4 * (named + 3 * len(steps))  # their text, their buttons and the picture, too
    assert with_dials >= 2


def make_comparison(root: Path, key: str) -> str:
    """Makes the runs of a comparison; returns the name of the first one."""
    names = [f"20260101-000000-{key}-{number}" for number in range(len(PRESETS[key].variants))]
    for name, variant in zip(names, PRESETS[key].variants, strict=True):
        records = [*(step(number, 1 / number) for number in range(1, 31)), evaluation(15, 0.25), evaluation(30, 0.5)]
        run = make_run(root / name, {"training.steps": 30, **variant.settings}, records)
        run.write_about(About(created=1.0, group=key, preset=key, variant=variant.name))
    return names[0]


def test_the_results_of_a_comparison_come_into_sight(opened, tmp_path):
    links = [link for link in all_links() if LessonPosition.from_link(link).step.compare]
    with runs_at(tmp_path):
        page = opened(f"lesson={links[0]}")
        problems = []
        for link in links:
            names = open_step(page, link, make_comparison(tmp_path, LessonPosition.from_link(link).step.compare))
            problems += [f"{link}: {each}" for each in problems_of(page, names, LAPTOP)]
            problems += [f"{link}: {each}" for each in problems_of(page, names, WALL)]
            problems += [f"{link}, phone: {each}" for each in problems_of(page, [*names, PLACES["picture"]], PHONE)]
        assert len(links) == 3 and not problems, "\n".join(problems)

"""The scripts and styles agree with Python; `tests/js` checks the scripts themselves."""

import json
import re
from pathlib import Path

import pytest

from playground.canvas.canvas import canvas
from playground.components import html, opening, plot
from playground.components.dials import dials
from playground.events.album import ACTIONS, ON_PICTURE
from playground.layout.album_panel import album_panel
from playground.layout.intake import intake
from playground.layout.runs_table import run_view
from playground.lessons import panel, quiz, teacher
from playground.server.live import head
from playground.steps.loss.curves import TITLES

ROOT = Path(__file__).parents[2]
PROGRAMS = json.loads((ROOT / "tests/js/programs.json").read_text("utf-8"))


def program(name: str) -> str:
    return "\n".join((ROOT / "playground" / file).read_text("utf-8") for file in PROGRAMS[name])


def test_the_canvas_runs_its_scripts_in_the_order_that_is_checked() -> None:
    assert canvas("canvas").js_on_load == program("canvas")


def test_html_runs_the_script_that_is_checked() -> None:
    assert html.component("more", "").js_on_load == program("html")


def test_a_figure_runs_the_script_that_is_checked() -> None:
    assert plot.plot("figure").js_on_load == program("figure")


def test_the_dials_run_the_script_that_is_checked() -> None:
    assert dials("dials").js_on_load == program("dials")


def test_the_table_of_runs_runs_after_the_script_of_its_figure() -> None:
    def runs(request: object) -> dict:
        return {}

    assert run_view(runs).js_on_load == program("runs_table")


def test_the_intake_of_pictures_runs_the_scripts_that_are_checked() -> None:
    def take(request: object) -> dict:
        return {}

    built = intake(take, files=1, size=1, side=1)
    assert built.js_on_load == program("intake") and "server.take(" in built.js_on_load


def test_the_panel_of_own_pictures_has_every_action_of_its_script() -> None:
    built = album_panel()
    assert built.js_on_load == program("album_panel")
    asked = {*re.findall(r'data-act="(\w+)"', built.html_template), "suggest", "share"}
    asked |= set(re.findall(r'act\("(\w+)"', program("album_panel")))
    assert asked == {*ACTIONS, *ON_PICTURE, "next", "teach", "download"}  # the last three have events of their own


def test_a_lesson_runs_the_scripts_that_are_checked() -> None:
    assert list(panel.SCRIPTS) == PROGRAMS["question"]
    assert program("quiz") == quiz.SCRIPT and program("teacher") == teacher.SCRIPT


def test_the_head_runs_the_opening_that_is_checked() -> None:
    assert opening.head() == f"<script>{program('opening')}</script>"


def test_the_head_runs_the_live_updates_that_are_checked() -> None:
    assert head().endswith(f";\n{program('live')}</script>")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_declares_no_name_twice(name: str) -> None:
    """The later of two functions with the same name would silently replace the first."""
    single = r"(?:let|const|(?:async )?function\*?) (\w+)"
    several = r"const [\[{]([\w, ]+)[\]}]"
    text = program(name)
    declared = re.findall(f"^{single}", text, re.MULTILINE)
    for names in re.findall(f"^{several}", text, re.MULTILINE):
        declared += names.split(", ")
    assert declared and len(declared) == len(set(declared))


def test_styles_that_depend_on_a_figure_name_its_title() -> None:
    style = (ROOT / "assets/style/numbers.css").read_text("utf-8")
    assert re.findall(r'data-figure="([^"]+)"', style) == [*TITLES.values()]  # those with an example that can be marked


def test_no_style_asks_what_an_element_contains() -> None:
    """With :has() the browser computes the styles of the whole page anew at every answer, 63 ms instead of 4."""
    files = [*ROOT.glob("assets/style/*.css"), *ROOT.glob("playground/**/*.css"), ROOT / "playground/page.py"]
    assert len(files) > 12
    rules = [file.name for file in files if ":has(" in re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.S)]
    rules += [file.name for file in ROOT.glob("playground/**/*.js") if ":has(${" in file.read_text("utf-8")]
    assert rules == []

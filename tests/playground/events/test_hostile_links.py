"""Links from anywhere: whatever they hold, the page opens, and says in at most 500 characters what it leaves out."""

import random
import re
from pathlib import Path
from urllib.parse import quote, urlencode

import gradio as gr
import pytest

from core.config import MAX_TEXT, knobs
from playground.events.navigation import open_link, show_opened
from playground.layout.layout import lay_out
from playground.runs.service import RUNS
from playground.server.permalink import read_course
from playground.steps import STEPS
from tests.playground.made_runs import make_run, runs_at, step

RUN, VISITOR = "20260101-000000-001", "a" * 32
NAMES = (
    "view", "lesson", "answer", "step", "level", "curve", "p_t", "pick", "map", "beside", "pinned", "run",
    "pinned_data", "data", "score", "iou", "figure", "choice", "hide", "embed", "course", "layers", "graph", "counted",
    "match", "of", "box", "deltas", "model.weights", "__theme", "", "x", "\0",
)  # fmt: skip
VALUES = (
    "", "x", "-1", "0", "1", "1e400", "nan", "\0", "a\0b", "\ud800", "a" * 300, "a" * 5000, "ü" * 200,
    "../../etc/passwd", "/etc/passwd", "~root", f"run/{'a' * 300}", f"run/{'a' * 300}.pth", f"runs/{'a' * 300}.pth",
    "run/../..", "run/", "run//", "upload/0123456789abcdef/" + "b" * 300, "upload/0123456789abcdef/x", "upload/**/x",
    RUN, f"run/{RUN}", "gone/train/1", "gone/train/999999999", "scenes/val/999999999", "photographs/all/999999999",
    f"my-{'0' * 16}/all/1", "upload", "a/b/c/d", f"{'a' * 300}/val/1", "\0/val/1", "true", "story", "1,2", "nan,nan",
    f"1,2,{'k' * 300},999999999", "cell 1 1", "cell 99999 99999", "kind location", "worst", "0,1,2,3,4",
    "9999999,-1e5,1,1e5,1e5", "*", "%", "%zz", "<script>", "${x}", "9" * 5000, "１", "1," * 3000, "random", "coco",
    urlencode({"model.weights": f"runs/{'a' * 300}.pth"}), urlencode({"model.weights": f"run/{'a' * 300}"}),
    urlencode({"loss.gamma": "99"}), "defaults", "a\nb", "P3", "focal.1", *STEPS,
)  # fmt: skip


@pytest.fixture(scope="module")
def page():
    with gr.Blocks(analytics_enabled=False):
        yield lay_out()


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch):
    make_run(tmp_path / "runs" / RUN, {}, [step(1)])
    with runs_at(tmp_path / "runs"):
        monkeypatch.setattr(RUNS, "open", lambda: None)
        yield


def check(query: str) -> None:
    opened = open_link(query, visitor=VISITOR)
    read_course(query)
    said = opened.message
    assert len(said) <= 500, f"{query[:100]}: {len(said)} characters"
    assert not re.search(rf"{re.escape(str(RUNS.root))}|{re.escape(str(Path.cwd()))}", said), said
    said.encode()  # it can be sent


def encode(value: str) -> str:
    return quote(value, safe="", errors="surrogatepass")


@pytest.mark.parametrize("name", NAMES)
def test_each_value_of_each_parameter_opens_the_page(name):
    for value in VALUES:
        check(f"{encode(name)}={encode(value)}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_links_of_several_parameters_open_the_page(seed):
    chance = random.Random(seed)
    for _ in range(60):
        pairs = [
            (chance.choice((*NAMES, *knobs())), chance.choice(VALUES)) for _ in range(chance.choice((2, 3, 5, 20)))
        ]
        encoded = chance.random() < 0.8
        check("&".join(f"{name}={encode(value) if encoded else value}" for name, value in pairs))


@pytest.mark.parametrize(
    "query",
    ["a" * 10**6, "&" * 10**6, "%" * 10**6, "run=" + "a" * 10**6, "hide=" + "x," * 10**5, "course=" + "x" * 10**5,
     "pinned=" + "a" * (MAX_TEXT - 100), "&".join(["step=loss"] * 5000), "run=%ff%fe", "%ff=%ff", "step", "=",
     "==&&=="],
)  # fmt: skip
def test_long_and_damaged_links_open_the_page(query):
    check(query)


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [f"run={'a' * 300}", f"model.weights=runs/{'a' * 300}.pth", f"model.weights=run/{'a' * 300}",
     "pinned=loss.gamma%3D1&pinned_data=gone/val/1&beside=true", f"step=training&run={RUN}",
     "step=evaluation&choice=worst",
     f"pinned={encode(urlencode({'model.weights': f'run/{RUN}'}))}&beside=true", "pick=1,2,kept,999999999",
     "step=network&model.weights=upload/0123456789abcdef/x.pth", "lesson=focal.1&answer=1", "embed=loss&hide=loss"],
)  # fmt: skip
def test_what_a_link_opens_is_shown(page, query):
    opened = open_link(query, visitor=VISITOR)
    updates = show_opened(page, opened, ["nonsense", 7, None], read_course(query))
    assert len(updates[page.parts["notice"]]) <= 500 and updates[page.parts["canvas"]]

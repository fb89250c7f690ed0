"""What a student does, in a process that resembles one on Windows: `python -m tests.windows.scenario PORT`.

Everything is made in the current folder. It prints a line for each thing that works, and fails at the first that does
not.
"""

import json
import sys
import urllib.request
from pathlib import Path

from core.cli.main import main as command
from core.config import Config
from core.runs.folder import RUNNING, STOPPED, RunFolder
from playground.main import open_services, parse
from playground.page import build_page, launch_options
from playground.runs.service import RUNS
from playground.server.live import PATH
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from tests.core.data.layouts import yolo_ultralytics
from tests.core.tiny import TINY
from tests.waiting import wait

FLAGS = [f"--{name}={value}" for name, value in TINY.items()]
LONG = {"training.steps": 100_000, "training.eval_interval": 0}
SECONDS = 100
LOOKS = {"curve": "loss", "p_t": 0.9, "frame": 1, "dials": "", "held": True, "switched": {}}


def say(done: str) -> None:
    print(done, flush=True)


def use_commands() -> None:
    """Uses each command once; training resumes from its checkpoint, whose file is then replaced."""
    yolo_ultralytics(Path("data"))
    picture = next(str(path) for path in Path("data").rglob("*.jpg"))
    weights = ["--model.weights=run/weights.safetensors", "--inference.image_size=64"]
    for each in (
        ["train", "--out=run", "--workers=0", *FLAGS],
        ["train", "--out=run", "--workers=0", *FLAGS, "--training.steps=5", "--resume"],
        ["evaluate", "--json=evaluation.json", "--images=2", *weights],
        ["detect", picture, "--json=detections.json", "--annotate=drawn", *weights],
        ["check", "--data=data", "--json=check.json"],
        ["export", "--out=detector.pth", *weights],
    ):
        assert command(each) == 0, each
        say(each[0])


def open_page(port: int) -> None:
    """Opens the page, and asks for the answer to a knob as the browser does."""
    open_services(parse([]))
    build_page().launch(server_port=port, prevent_thread_lock=True, quiet=True, **launch_options())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SECONDS) as answer:
        assert answer.status == 200 and b"RetinaNet" in answer.read()
    say("page")
    settings = settings_of(Config.from_flat({"model.weights": "random", "inference.image_size": 64}))
    token = json.loads(render(PageState("assignment", settings=settings)).strip)["token"]
    body = json.dumps({"token": token, "settings": settings, **LOOKS}).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
        assert json.loads(answer.readline())["canvas"]
    say("knob")


def train_on_page() -> None:
    """Starts a run, stops it and resumes it."""
    name = RUNS.start(Config.from_flat({**TINY, **LONG}))
    folder = RunFolder(RUNS.root / name)

    def reach(state: str, steps: int = 0) -> None:
        try:
            wait(lambda: RUNS.statuses()[name].state == state and len(folder.read_records()[0]) >= steps, SECONDS)
        except AssertionError:
            log = folder.log.read_text("utf-8", errors="replace") if folder.log.exists() else ""
            raise AssertionError(f"{RUNS.statuses()[name]} instead of {state}. {log}") from None

    reach(RUNNING, steps=2)
    RUNS.stop(name)
    reach(STOPPED)
    steps = len(folder.read_records()[0])
    say("stop")
    RUNS.resume(name)
    reach(RUNNING, steps=steps + 2)
    RUNS.stop(name)
    reach(STOPPED)
    say("resume")


if __name__ == "__main__":
    use_commands()
    open_page(int(sys.argv[1]))
    train_on_page()
    RUNS.close()

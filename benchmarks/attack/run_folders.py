"""Folders of runs whose files somebody has altered, in every view of them."""

import json
import shutil
from pathlib import Path
from random import Random

from benchmarks.attack.mutations import alter_bytes, alter_value, write_json
from benchmarks.attack.outcome import Attempt, Refused
from core.runs.about import About
from playground.events.navigation import open_link
from playground.runs.labels import parse_label, write_label
from playground.runs.service import RUNS
from playground.runs.table_api import handle_request
from playground.server.render import render
from tests.playground.made_runs import evaluation, make_run, step

NAME, OTHER = "20260101-000000-001", "20260101-000000-002"
SETTINGS = {"training.steps": 6, "loss.gamma": 3}


def attack_run_folders(folder: Path) -> Attempt:
    """Prepares altered run folders; an attempt looks at one in the table, its curves, a link and the training step."""
    RUNS.use_folder(folder / "runs")
    valid = folder / "valid"
    run = make_run(valid, SETTINGS, [*(step(number) for number in range(1, 7)), evaluation(6, 0.5)])
    run.write_about(About("scenes", owner="me"))
    write_label(valid, parse_label("a name", "tag"))
    make_run(RUNS.root / OTHER, SETTINGS, [step(1)])

    def attempt(random: Random) -> None:
        place = RUNS.root / NAME
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(valid, place)
        _alter(place, random)
        message = _look(random)
        shutil.rmtree(place, ignore_errors=True)
        if message:
            raise Refused(message)

    return attempt


def _alter(place: Path, random: Random) -> None:
    """Alters one or two of the files."""
    files = sorted(path for path in place.iterdir() if path.is_file())
    for path in random.sample(files, random.randint(1, 2)):
        match random.randrange(6):
            case 0:
                path.unlink()
            case 1:
                path.unlink()
                path.mkdir()
            case 2:
                path.write_bytes(alter_bytes(path.read_bytes(), random))
            case _:
                lines = [json.loads(line) for line in _lines(path)]
                path.write_text("\n".join(write_json(alter_value(each, random)) for each in lines) + "\n")


def _lines(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    return text.splitlines() if path.suffix == ".jsonl" else [text]


def _look(random: Random) -> str:
    """Returns the message that the page gives with a run."""
    said = handle_request({"act": "look", "chosen": [NAME, OTHER]}, RUNS)
    rows = [row["run"] for row in json.loads(said["shown"])["rows"]]
    assert OTHER in rows, "a run that cannot be read hides another one"
    RUNS.statuses()
    state, message = open_link(f"step={random.choice(('training', 'evaluation', 'loss'))}&run={NAME}")
    update = render(state)
    return str(said["said"] or message or update.notice or "")

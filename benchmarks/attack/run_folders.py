"""Folders of runs whose files somebody has altered, in every view of them."""

import json
import shutil
from pathlib import Path
from random import Random

from PIL import Image

from benchmarks.attack.answers import require_readable
from benchmarks.attack.mutations import alter_bytes, alter_value, write_json
from benchmarks.attack.outcome import Attempt, Refused
from core.runs.about import About
from core.runs.folder import RunFolder
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
    losses = [{"classification": loss, "box": loss} for loss in (0.5, 2.0)]
    evaluations = [{**evaluation(6, 0.5), "losses": each, "rare_ap": 0.1} for each in losses]
    run = make_run(valid, SETTINGS, [step(1, 2.0), evaluations[0], *(step(n) for n in range(2, 7)), evaluations[1]])
    _draw_film(run)
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


def _draw_film(run: RunFolder) -> None:
    """Writes the picture of a run, its frames and its last single step, as training does."""
    found = {"boxes": [[1.0, 1.0, 9.0, 9.0]], "scores": [0.9], "labels": [0]}
    frames = [
        {"step": number, **found, "assigned": [[0.0, 0.0, 8.0, 8.0], [4.0, 4.0, 12.0, 12.0]]} for number in (1, 6)
    ]
    run.snapshots.write_text("".join(json.dumps(frame) + "\n" for frame in frames), "utf-8")
    run.snapshot_truth.write_text(json.dumps({**found, "class_names": ["cat", "dog"]}), "utf-8")
    Image.new("RGB", (24, 16)).save(run.snapshot_image)
    changes = {"body": 0.1, "pyramid": 0.1, "class head": 0.1, "box head": 0.1}
    run.step_changes.write_text(json.dumps({"step": 6, "changes": changes, "before": found, "after": found}), "utf-8")


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
            case kind if kind == 2 or path.suffix == ".png":
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
    require_readable(update)
    return str(said["said"] or message or update.notice or "")

"""`differ`: what it prints, writes, draws and refuses."""

import json
from pathlib import Path

import pytest
from PIL import Image

from core.cli.arguments import FRAMEWORKS
from core.cli.main import main
from core.conventions import convention, table
from tests.core import made_data

SMALL = ("--scenes.image_size", "96", "--inference.image_size", "96")


def differ(*arguments: object) -> int:
    return main(["differ", *map(str, arguments)])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_frameworks_of_the_help_are_those_of_the_table():
    assert tuple(convention.FRAMEWORKS) == FRAMEWORKS


def test_a_scene_is_compared_with_its_objects(capsys):
    assert differ("--framework", "detectron2", "--json", "out.json", "--out", "out.png", *SMALL) == 0
    printed, written = capsys.readouterr().out, json.loads(Path("out.json").read_text())
    assert [row["convention"] for row in written["conventions"]] == [each.title for each in table.CONVENTIONS]
    order = next(row for row in written["conventions"] if row["convention"] == "Order of a location's anchors")
    assert order["there"] == "by size, then by ratio"
    assert "DefaultAnchorGenerator.generate_cell_anchors" in order["source"]
    assert set(written["together"]) == {"anchors that differ", "assignment", "losses", "detections"}
    assert "Order of a location's anchors: by size, then by ratio" in printed
    assert "not computed: " in printed
    assert written["summary"] in printed
    assert Image.open("out.png").size == (96, 96)


def test_nothing_is_said_of_the_assignment_of_a_picture_without_objects(capsys):
    made_data.picture(Path("photo.png"), (96, 64))
    assert differ("photo.png", "--framework", "torchvision", "--json", "out.json", *SMALL[2:]) == 0
    assert set(json.loads(Path("out.json").read_text())["together"]) == {"anchors that differ", "detections"}
    assert "assignment" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("photo.png", "--out", "photo.png"), "--out photo.png would replace the picture"),
        (("photo.png", "--out", "other.jpg"), "--out other.jpg must end in .png"),
        (("--matching.assigner", "atss"), "matching.assigner = atss is not in the RetinaNet of torchvision"),
        (("missing.png",), "missing.png"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments, sentence, capsys):
    assert differ("--framework", "torchvision", *arguments, *SMALL) in (1, 2)
    assert sentence in capsys.readouterr().err

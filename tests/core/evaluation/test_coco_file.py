"""The file of detections by hand, written without holding the pictures."""

import json

import torch

from core.evaluation.coco_file import FoundIn, to_results, write_coco_file
from core.structures import Detections


def test_the_file_by_hand(tmp_path):
    found = Detections(torch.tensor([[1.0, 2, 11, 22]]), torch.tensor([0.5]), torch.tensor([1]))
    calls = []

    def pictures():
        calls.append(len(calls))
        yield FoundIn(1, "a.png", 40, 30, to_results(found, (7, 9)))
        yield FoundIn(2, "b\udcff.png", problem="damaged")
        yield FoundIn(3, "c.png", 10, 20)

    write_coco_file(tmp_path / "found.json", pictures, [(7, "cat"), (9, "dög")])
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8")) == {
        "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dög"}],
        "images": [
            {"id": 1, "file_name": "a.png", "width": 40, "height": 30},
            {"id": 3, "file_name": "c.png", "width": 10, "height": 20},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 9,
                "bbox": [1.0, 2.0, 10.0, 20.0],
                "score": 0.5,
                "area": 200.0,
                "iscrowd": 0,
            }
        ],
        "left_out": [{"id": 2, "file_name": "b\udcff.png", "problem": "damaged"}],
    }
    assert len(calls) == 3


def test_a_file_without_pictures_is_valid(tmp_path):
    write_coco_file(tmp_path / "found.json", lambda: (), [])
    assert json.loads((tmp_path / "found.json").read_text()) == {
        "categories": [], "images": [], "annotations": [], "left_out": []
    }  # fmt: skip

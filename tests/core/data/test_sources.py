import json

import pytest
import torch

from core.config import Scenes
from core.data.reading.format_detection import AmbiguousFormatError
from core.data.sources import SCENES_PER_SPLIT, SceneData, open_data
from core.data.untrusted import DataError
from core.scenes.render import CLASS_NAMES
from tests.core.made_data import assert_sample, coco, coco_content, picture, voc, voc_object

SCENES = Scenes()


def test_scenes_are_repeatable_and_disjoint():
    splits = {split: SceneData(SCENES, 2, split) for split in ("train", "val", "test")}
    pictures = [sample.image for data in splits.values() for sample in data]
    assert all(len(data) == 2 and data.class_names == CLASS_NAMES for data in splits.values())
    for index, image in enumerate(pictures):
        assert not any(torch.equal(image, other) for other in pictures[:index])
    again = SceneData(SCENES, 1, "val")[0]
    assert_sample(again)
    assert torch.equal(again.image, splits["val"][0].image)


def test_scene_numbers_end_where_the_next_split_begins():
    longest = SceneData(SCENES, SCENES_PER_SPLIT, "test")
    assert longest[-1].image.shape[0] == 3
    with pytest.raises(IndexError):
        longest[SCENES_PER_SPLIT]
    for length in (0, -1, SCENES_PER_SPLIT + 1):
        with pytest.raises(DataError, match="Cannot render"):
            SceneData(SCENES, length, "train")


def test_open_data_detects_the_format(tmp_path):
    assert isinstance(open_data("scenes", "train", SCENES, 3), SceneData)
    assert open_data(str(coco(tmp_path / "c")), "train", SCENES, 3).reading.startswith("COCO, train.json")
    folder = voc(tmp_path / "v", {"p": voc_object()})
    assert open_data(str(folder), "train", SCENES, 3).reading.startswith("Pascal VOC, Annotations/p.xml")


def test_two_formats_are_a_question(tmp_path):
    folder = coco(voc(tmp_path, {"p": voc_object()}))
    with pytest.raises(AmbiguousFormatError, match=r"\(coco: 1 JSON file; voc: 1 XML file\): .*--format") as error:
        open_data(str(folder), "train", SCENES, 3)
    assert error.value.formats == ("coco", "voc")
    assert open_data(str(folder), "train", SCENES, 3, format="voc").reading.startswith("Pascal VOC")
    with pytest.raises(DataError, match="no format 'x': choose one of coco, voc"):
        open_data(str(folder), "train", SCENES, 3, format="x")
    with pytest.raises(DataError, match=r"holds no data set .*: YOLO\.$"):
        open_data(str(folder), "train", SCENES, 3, format="yolo")


def test_a_fault_in_one_format_does_not_choose_the_other_one(tmp_path):
    content = coco_content()
    content["annotations"][0]["bbox"] = [1, 2, 0, 20]
    folder = coco(voc(tmp_path, {"p": voc_object(), "q": voc_object()}), content)
    for strict in (False, True):
        with pytest.raises(AmbiguousFormatError):
            open_data(str(folder), "train", SCENES, 3, strict=strict)
    for path in (folder / "images").iterdir():
        path.unlink()
    assert open_data(str(folder), "train", SCENES, 3, strict=True).reading.startswith("Pascal VOC")
    (folder / "JPEGImages" / "q.jpg").unlink()
    assert open_data(str(folder), "train", SCENES, 3).left_out.counts == {"labels without picture": 1}
    with pytest.raises(DataError, match=r"q\.xml"):
        open_data(str(folder), "train", SCENES, 3, strict=True)


def test_a_format_whose_pictures_are_not_there_is_no_question(tmp_path):
    folder = voc(tmp_path, {"p": voc_object()})
    (folder / "train.json").write_text(json.dumps(coco_content()))
    assert open_data(str(folder), "train", SCENES, 3).reading.startswith("Pascal VOC")


def test_open_data_names_the_expected_files(tmp_path):
    with pytest.raises(DataError, match="There is no data set 'nowhere'"):
        open_data("nowhere", "train", SCENES, 3)
    (tmp_path / "x").mkdir()
    picture(tmp_path / "x" / "a.png")
    with pytest.raises(DataError, match=r"no data set in a known format \(its files: 1 \.png\).*COCO, Pascal VOC"):
        open_data(str(tmp_path / "x"), "val", SCENES, 3)
    coco(tmp_path / "c")
    with pytest.raises(DataError, match=r"no split val, only train: .*split --data"):
        open_data(str(tmp_path / "c"), "val", SCENES, 3)
    folder = voc(tmp_path / "v", {"p": voc_object()}, {"train": "p"})
    with pytest.raises(DataError, match=r"no split val, only train"):
        open_data(str(folder), "val", SCENES, 3)


@pytest.mark.parametrize("source", ["scenes", "coco", "voc"])
def test_unknown_split(tmp_path, source):
    folders = {"coco": coco(tmp_path / "coco"), "voc": voc(tmp_path / "voc", {"p": voc_object()})}
    with pytest.raises(DataError, match=r"no split '\.\./x': choose one of train, val, test"):
        open_data(str(folders.get(source, source)), "../x", SCENES, 3)

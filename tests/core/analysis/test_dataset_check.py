import json

import pytest
import torch

from core.analysis.dataset_check import DataCheck, check_folder
from core.analysis.issues import KINDS
from core.cli.data import format_check
from core.config import Config
from core.data.folders import open_folder
from core.data.left_out import DESCRIPTIONS
from core.data.reading.format_detection import AmbiguousFormatError
from core.data.untrusted import DataError
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.predict import prepare
from core.retinanet.preprocess import scale_objects
from tests.core.data.layouts import NAMES, coco_single, make_coco
from tests.core.made_data import coco, coco_content, picture, voc, voc_object, yolo

LINE = "0 0.5 0.5 0.5 0.5"
CONFIG = Config.from_flat({"inference.image_size": 64})
QUIET = {"no test", "no val", "no anchor", "unused class", "untrained class", "same picture", "picture in two splits"}


def kinds(folder, *, everything: bool = False) -> dict[str, int]:
    """Returns the issue counts, without those that tiny data sets of uniform images always have."""
    check = check_folder(folder, CONFIG)
    json.dumps(check.to_dict(), allow_nan=False)
    format_check(check)
    return {issue.kind: issue.count for issue in check.issues if everything or issue.kind not in QUIET}


def changed(folder, part: str, **values):
    """Writes a COCO folder with an additional entry."""
    content = coco_content()
    content[part].append({**content[part][0], "id": 50, **values})
    return coco(folder, content)


def test_a_sound_data_set(tmp_path):
    for split in ("train", "val", "test"):
        content = coco_content()
        content["images"] = [{**content["images"][0], "file_name": f"{split}.png"}]
        boxes = [(9, [1, 2, 16, 16]), (2, [20, 8, 16, 16])]
        content["annotations"] = [
            {"id": number, "image_id": 7, "category_id": category, "bbox": box}
            for number, (category, box) in enumerate(boxes)
        ]
        coco(tmp_path, content, split)
        picture(tmp_path / "images" / f"{split}.png", pnginfo=None, size=(40, 30), dpi=(len(split), 1 + ord(split[0])))
    check = check_folder(tmp_path, CONFIG)
    assert (check.format, check.class_names, check.is_usable, check.issues) == ("COCO", ("cat", "dog"), True, ())
    assert check.splits["val"] == (1, 0, {"cat": 1, "dog": 1}, 0)
    assert check.sizes["cat"].objects == 3 and check.sizes["cat"].unmatched == 0
    assert check.sizes["dog"].side == pytest.approx((16 * 64 / 30,) * 3, abs=0.3)
    assert "It can be trained on." in format_check(check)


def test_training_pictures_without_an_object_stop_training_but_no_import(tmp_path):
    lists = {"train": "a\n", "val": "b\n"}
    check = check_folder(voc(tmp_path, {"a": "", "b": voc_object()}, lists), CONFIG)
    assert ("no training object", 1) in [(issue.kind, issue.count) for issue in check.issues]
    assert not check.is_usable and not check.blocking_issues
    assert check_folder(voc(tmp_path, {"a": voc_object(), "b": ""}, lists), CONFIG).is_usable


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"category_id": 4}, "unknown class"),
        ({"image_id": 99}, "unknown picture"),
        ({"bbox": [1, 2, 3]}, "bad object"),
        ({"bbox": [1, 2, 0, 5]}, "empty box"),
        ({"bbox": [1, 2, 5, 0]}, "empty box"),
        ({"bbox": [6, 7, -5, -5]}, None),  # from the lower right corner
        ({"bbox": [1, 2, float("nan"), 5]}, "bad object"),
        ({"bbox": [41, 2, 5, 5]}, "outside box"),
        ({"bbox": [30, 2, 12, 5]}, "cut box"),
        ({"bbox": [-2, 2, 12, 5]}, "cut box"),
        ({"bbox": [30, 2, 11, 5]}, None),  # one pixel may be rounding
        ({"bbox": [1, 2, 10, 20]}, "same box"),
        ({"category_id": 2}, "box of two classes"),
        ({"iscrowd": 1}, None),  # a crowd region on an object
    ],
)
def test_objects(tmp_path, values, kind):
    base = {"bbox": [5, 5, 9, 9], "image_id": 7, "category_id": 9, "iscrowd": 0}
    if kind in ("same box", "box of two classes") or "iscrowd" in values:
        base["bbox"] = [1, 2, 10, 20]
    folder = changed(tmp_path, "annotations", **{**base, **values})
    assert kinds(folder) == ({kind: 1} if kind else {})
    if kind and KINDS[kind].stops:
        with pytest.raises(DataError):
            open_folder(folder, "train")
    elif kind in DESCRIPTIONS:
        assert open_folder(folder, "train").left_out.counts == {kind: 1}
        with pytest.raises(DataError):
            open_folder(folder, "train", strict=True)
    else:
        assert len(open_folder(folder, "train")) == 2


def test_pictures(tmp_path):
    content = coco_content()
    names = {"none.png": {}, "text.png": {}, "cut.png": {}, "wide.png": {"width": 41}, "../x.png": {}, "tall.png": {}}
    for number, (name, more) in enumerate(names.items(), start=100):
        content["images"].append({"id": number, "file_name": name, "width": 40, "height": 30, **more})
    content["images"][-1] |= {"width": 1, "height": 20_000}
    folder = coco(tmp_path, content)
    (folder / "images" / "text.png").write_text("no picture")
    (folder / "images" / "cut.png").write_bytes((folder / "images" / "a.png").read_bytes()[:60])
    picture(folder / "images" / "wide.png")
    picture(folder / "images" / "tall.png", (1, 20_000))
    assert kinds(folder) == {
        "bad path": 1,
        "missing picture": 1,
        "unreadable picture": 3,
        "other size": 1,
        "no data": 1,
    }
    assert "STOPS TRAINING" in format_check(check_folder(folder, CONFIG))


def test_repeated_pictures(tmp_path):
    folder = coco(tmp_path)
    content = coco_content()
    content["images"] = content["images"][:1]
    coco(folder, content, "val")
    found = {issue.kind: issue for issue in check_folder(folder, CONFIG).issues}
    assert found["same picture"].examples == ("train: b.png (picture 2) is train: a.png (picture 1)",)
    assert found["picture in two splits"].examples == ("val: a.png (picture 1) is train: a.png (picture 1)",)


def test_classes(tmp_path):
    content = coco_content()
    content["categories"] += [{"id": 20, "name": "Dog "}, {"id": 21, "name": "bird"}]
    folder = coco(tmp_path, content)
    content["annotations"].append({"id": 3, "image_id": 7, "category_id": 21, "bbox": [1, 1, 9, 9]})
    coco(folder, content, "val")
    found = {issue.kind: issue.examples for issue in check_folder(folder, CONFIG).issues}
    assert found["alike classes"] == ("'dog' and 'Dog'",)
    assert found["untrained class"] == ("bird",)
    assert found["unused class"] == ("cat", "Dog")  # the only cat is a crowd


def test_missing_splits(tmp_path):
    check = check_folder(coco(tmp_path), CONFIG)
    found = {issue.kind: issue for issue in check.issues}
    assert found["no val"].stops and not found["no test"].stops and not check.is_usable


def test_voc_and_yolo(tmp_path):
    folder = voc(tmp_path / "v", {"a": voc_object(), "b": voc_object(box=(1, 1, 45, 20))}, {"train": "a\nb\nc"})
    (folder / "Annotations" / "d.xml").write_text("<broken")
    assert kinds(folder) == {"bad file": 2, "cut box": 1}
    folder = yolo(tmp_path / "y", {"train/a": f"{LINE}\n7 0 0 1 1\n0 1 1", "train/b": "0 9 9 9 9", "val/c": LINE})
    (folder / "images" / "val" / "c.png").unlink()
    picture(folder / "images" / "val" / "d.png")
    (folder / "labels" / "val" / "d.txt").write_text(f"{LINE}\n{LINE}")
    assert kinds(folder) == {"unknown class": 1, "bad object": 2, "labels without picture": 1, "same box": 1}
    example = next(issue for issue in check_folder(folder, CONFIG).issues if issue.kind == "unknown class").examples[0]
    assert example.startswith("labels/train/a.txt line 2 has the unknown class '7'")  # relative to the folder


@pytest.mark.parametrize("content", ["{", "[]", '{"images": []}'])
def test_invalid_annotations(tmp_path, content):
    check = check_folder(coco(tmp_path, content), CONFIG)
    assert check.class_names == () and not check.is_usable and check.issues[0].kind == "no data"


def test_an_empty_folder(tmp_path):
    check = check_folder(tmp_path, CONFIG)
    assert check.format is None and [issue.kind for issue in check.issues] == ["no data"]


def test_splits_with_other_classes(tmp_path):
    folder = coco(tmp_path)
    coco(folder, {**coco_content(), "categories": [{"id": 9, "name": "hog"}, {"id": 2, "name": "cat"}]}, "val")
    assert "no data" in kinds(folder, everything=True)


def test_no_anchor_agrees_with_the_matching(tmp_path):
    dice = torch.Generator().manual_seed(0)
    content = coco_content()
    content["images"] = [{"id": n, "file_name": f"{n}.png", "width": w, "height": h} for n, (w, h) in enumerate(
        [(200, 120), (120, 200), (333, 100)])]  # fmt: skip
    content["annotations"] = []
    for number in range(60):
        corner = (torch.rand(2, generator=dice) * 80).tolist()
        size = (2 ** (1 + torch.rand(2, generator=dice) * 6)).tolist()
        content["annotations"].append(
            {"id": number, "image_id": number % 3, "category_id": 9, "bbox": [*corner, *size], "iscrowd": 0}
        )
    folder = coco(tmp_path, content)
    for image in content["images"]:
        picture(folder / "images" / image["file_name"], (image["width"], image["height"]))
    config = Config.from_flat({"inference.image_size": 160, "inference.max_image_size": 320})
    unmatched = 0
    for sample in open_folder(folder, "train"):
        batch = prepare([sample.image], config.inference)
        anchors = make_anchors(config.anchors, *batch.pixels.shape[-2:]).boxes
        boxes, _ = scale_objects(sample, batch.factors[0])
        unmatched += int((match_anchors(anchors, boxes, config.matching).best_iou < 0.5).sum())
    check = check_folder(folder, config)
    assert check.sizes["dog"].unmatched == unmatched > 5
    assert next(issue.count for issue in check.issues if issue.kind == "no anchor") == unmatched


def test_progress(tmp_path):
    seen = []
    check_folder(coco(tmp_path), CONFIG, lambda *progress: seen.append(progress))
    assert seen == [(1, 2), (2, 2)]


def test_damaged_pictures_are_counted_and_do_not_prevent_training(tmp_path):
    coco_single(tmp_path, "", "annotations.json")
    for name in NAMES[:5]:
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-20] if name == NAMES[0] else b"none")
    check = check_folder(tmp_path, CONFIG)
    assert check.is_usable and check.left_out.counts == {"unreadable picture": 5}
    assert check.reading == ("COCO, annotations.json, pictures beside it; no splits given: 8 / 1 / 1 made by name.")
    restored = DataCheck.from_dict(json.loads(json.dumps(check.to_dict())))
    assert restored == check and restored.left_out == check.left_out
    old = {key: value for key, value in check.to_dict().items() if key not in ("reading", "left_out")}
    assert DataCheck.from_dict(old).reading == ""
    (tmp_path / NAMES[5]).write_bytes(b"none")
    check = check_folder(tmp_path, CONFIG)
    assert not check.is_usable and check.issues[0].kind == "no data"
    assert check.describe_blocking("It is not imported").startswith(
        "It is not imported: only 4 of 10 pictures are left, less than half."
    )


def test_units_are_compared_with_pictures_of_unknown_size(tmp_path):
    content = make_coco(NAMES)
    for image in content["images"]:
        del image["width"]
    for each in content["annotations"]:
        each["bbox"] = [value * 3 for value in each["bbox"]]
    coco_single(tmp_path, "", "annotations.json")
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    check = check_folder(tmp_path, CONFIG)
    assert check.issues[0].kind == "no data" and "boxes" in check.issues[0].examples[0]


def test_a_picture_is_named_with_its_folder_where_names_are_repeated(tmp_path):
    content = coco_content()
    for image, camera in zip(content["images"], ("cam1", "cam2"), strict=True):
        image["file_name"] = f"{camera}/a.png"
        picture(tmp_path / "images" / camera / "a.png")
    (tmp_path / "train.json").write_text(json.dumps(content))
    found = {issue.kind: issue for issue in check_folder(tmp_path, CONFIG).issues}
    assert found["same picture"].examples == ("train: cam2/a.png (picture 2) is train: cam1/a.png (picture 1)",)


def test_two_formats_are_a_question(tmp_path):
    voc(tmp_path, {"p": voc_object()})
    coco(tmp_path)
    with pytest.raises(AmbiguousFormatError):
        check_folder(tmp_path, CONFIG)
    assert check_folder(tmp_path, CONFIG, format="voc").format == "Pascal VOC"

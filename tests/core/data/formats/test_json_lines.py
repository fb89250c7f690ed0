import json

import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH, UNKNOWN_CLASS
from core.data.formats.json_lines.reader import JSON_LINES
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    find,
    objects_of,
    read,
    splits_of,
    write,
)  # fmt: skip

CAT = Object("cat", [1, 2, 11, 22])
BOX = [1, 2, 10, 20]
AS_COCO = "The boxes of a.jsonl were read as left, top, width and height, as in COCO."


def lines(*values: object) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in values)


@pytest.mark.parametrize(
    "line",
    [
        {"file_name": "a.jpg", "objects": {"bbox": [BOX], "categories": ["cat"], "id": [0]}},
        {"image_file_name": "a.jpg", "objects": {"bbox": [BOX], "category": ["cat"], "area": [200]}},
        {"image": "a.jpg", "objects": [{"bbox": BOX, "label": "cat"}]},
        {"image_path": "a.jpg", "annotations": [{"bbox": ["1", 2.0, 10, 20], "class": "cat"}]},
        {"filename": "a.jpg", "boxes": [BOX], "labels": ["cat"]},
        {"filename": "a.jpg", "bboxes": [BOX], "category": ["cat"]},
    ],
)
def test_boxes_as_lists(tmp_path, line):
    write(tmp_path, {"a.jsonl": lines(line)})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [CAT]} and data.notes == (AS_COCO,)
    assert_only(tmp_path, JSON_LINES)


@pytest.mark.parametrize(
    "entry",
    [
        {"xmin": 1, "ymin": 2, "xmax": 11, "ymax": 22, "label": "cat"},
        {"left": 1, "top": 2, "width": 10, "height": 20, "name": "cat"},
        {"box": {"x1": 1, "y1": 2, "x2": 11, "y2": 22}, "category": "cat"},
    ],
)
def test_boxes_by_keys(tmp_path, entry):
    write(tmp_path, {"a.jsonl": lines({"image": "a.jpg", "objects": [entry]})})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [CAT]} and data.notes == ()


def test_lines_of_single_objects(tmp_path):
    line = {"image": "a.jpg", "bbox": BOX, "label": "cat", "width": 40, "height": 30}
    write(tmp_path, {"a.jsonl": lines(line, line | {"image": "b.jpg"}, line | {"label": "dog"})})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [CAT, Object("dog", CAT.box)], "b.jpg": [CAT]}
    assert data.images[0].size == (40, 30) and data.notes == (AS_COCO,)


def test_sizes_splits_and_pictures_without_objects(tmp_path):
    write(tmp_path, {"train/metadata.jsonl": "\ufeff" + lines(
        {"file_name": "b.jpg", "objects": {"bbox": [], "categories": []}},
        {"file_name": "sub\\a.jpg", "width": 40, "height": "30", "split": "val",
         "objects": {"bbox": [BOX], "categories": ["cat"]}},
    ).replace("\n", "\r\n")})  # fmt: skip
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"b.jpg": [], "sub/a.jpg": [CAT]}
    assert [image.size for image in data.images] == [None, (40, 30)]
    assert splits_of(data) == {"b.jpg": None, "sub/a.jpg": "val"}


def test_sagemaker(tmp_path):
    box = {"class_id": 0, "left": 1, "top": 2, "width": 10, "height": 20}
    job = {"annotations": [box, box | {"class_id": 1}], "image_size": [{"width": 40, "height": 30, "depth": 3}]}
    metadata = {"class-map": {"0": "dog", "1": "cat"}, "type": "groundtruth/object-detection"}
    write(tmp_path, {"output.manifest": lines({"source-ref": "s3://b/a.jpg", "job": job, "job-metadata": metadata})})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"s3://b/a.jpg": [Object("dog", CAT.box), CAT]}
    assert data.images[0].size == (40, 30) and data.notes == ()


def test_vertex(tmp_path):
    line = {
        "imageGcsUri": "gs://b/a.jpg",
        "boundingBoxAnnotations": [{"displayName": "cat", "xMin": 0.1, "yMin": 0.2, "xMax": 0.5, "yMax": 0.6}],
        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "training"},
    }
    write(tmp_path, {"a.jsonl": lines(line)})
    (image,) = read(tmp_path, JSON_LINES).images
    assert image.boxes.tolist() == [[0.1, 0.2, 0.5, 0.6]] and image.relative and image.split == "training"


def test_grounding_dino(tmp_path):
    instances = [{"bbox": [1, 2, 11, 22], "label": 0, "category": "cat"}]
    write(
        tmp_path,
        {"a.jsonl": lines({"filename": "a.jpg", "height": 30, "width": 40, "detection": {"instances": instances}})},
    )
    assert objects_of(read(tmp_path, JSON_LINES)) == {"a.jpg": [CAT]}


def test_create_ml(tmp_path):
    coordinates = {"x": 6, "y": 12, "width": 10, "height": 20}
    entries = [{"image": "a.jpg", "annotations": [{"label": "cat", "coordinates": coordinates}]},
               {"image": "b.jpg", "annotations": []}]  # fmt: skip
    write(tmp_path, {"train/_annotations.createml.json": entries})
    assert objects_of(read(tmp_path, JSON_LINES)) == {"a.jpg": [CAT], "b.jpg": []}
    assert_only(tmp_path, JSON_LINES)


@pytest.mark.parametrize("wrap", [lambda frames: frames, lambda frames: {"frames": frames, "config": {}}])
def test_bdd100k(tmp_path, wrap):
    labels = [{"id": "1", "category": "cat", "box2d": {"x1": 1, "y1": 2, "x2": 11, "y2": 22}},
              {"id": "2", "category": "lane", "poly2d": [{"vertices": [[1, 2]]}]}]  # fmt: skip
    write(tmp_path, {"a.json": wrap([{"name": "a.jpg", "labels": labels}, {"name": "b.jpg", "labels": None}])})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [CAT], "b.jpg": []}
    assert data.notes == ("Lines and areas without a box, which were left out: 1 (the first in a.json).",)


def test_lists_of_the_same_objects(tmp_path):
    entries = [{"image": "a.jpg", "objects": [{"bbox": BOX, "label": "cat"}]}, 3]
    write(tmp_path, {"a.json": entries, "b.json": [{"image": "a.jpg", "caption": "x"}], "c.json": [{"name": "x"}]})
    assert find(tmp_path, JSON_LINES) == ["a.json"]
    assert_refused(tmp_path, JSON_LINES, r"a\.json entry 2 is no JSON object with a picture")
    assert objects_of(read(tmp_path, JSON_LINES, Problems())) == {"a.jpg": [CAT]}


def test_a_damaged_list_is_reported(tmp_path):
    text = json.dumps([{"image": "a.jpg", "objects": [{"bbox": BOX, "label": "cat"}]}])
    write(tmp_path, {"a.json": text, "b.json": text[:-1]})
    problems = Problems()
    assert objects_of(read(tmp_path, JSON_LINES, problems)) == {"a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_FILE]


def test_percentages_are_not_taken_for_pixels(tmp_path):
    entry = {"x": 1, "y": 2, "width": 10, "height": 20, "labels": ["cat"], "original_width": 40, "original_height": 30}
    write(tmp_path, {"a.json": [{"image": "a.jpg", "objects": [entry]}]})
    assert find(tmp_path, JSON_LINES) == []


CARD = """---
dataset_info:
  features:
  - name: objects
    sequence:
    - name: category
      dtype:
        class_label:
          names:
            '0': dog
            '1': cat
---
# A data set
"""


def test_numbered_categories(tmp_path):
    line = {"file_name": "a.jpg", "objects": {"bbox": [BOX, BOX, BOX], "category": [1, 0, 10]}}
    write(tmp_path, {"a.jsonl": lines(line), "README.md": CARD})
    data = read(tmp_path, JSON_LINES)  # 10 is not in the card
    assert (data.class_names, data.category_ids) == (("0", "1", "10"), (1, 2, 3))
    assert "The classes are numbers without names, which were taken for names." in data.notes
    line["objects"]["category"][2] = 0
    write(tmp_path, {"a.jsonl": lines(line)})
    data = read(tmp_path, JSON_LINES)
    assert data.class_names == ("dog", "cat") and data.images[0].labels.tolist() == [1, 0, 0]


@pytest.mark.parametrize("beside", [{"classes.txt": "dog\ncat\n"}, {"id2label.json": {"0": "dog", "1": "cat"}}])
def test_numbered_categories_get_the_names_beside_them(tmp_path, beside):
    line = {"file_name": "a.jpg", "objects": {"bbox": [BOX, BOX], "category": [1, 0]}}
    write(tmp_path, {"a.jsonl": lines(line), **beside})
    data = read(tmp_path, JSON_LINES)
    assert data.class_names == ("dog", "cat") and data.images[0].labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    "content",
    [
        lines({"image": "a.jpg", "objects": [{"bbox": BOX, "label": "cat"}]}, {"image": "b.jpg", "objects": []}),
        [{"image": "a.jpg", "x": BOX[0], "y": BOX[1], "width": BOX[2], "height": BOX[3], "label": "cat"}],
        [{"image": "a.jpg", "bbox": BOX, "label": "cat"}, {"image": "b.jpg", "objects": []}],
        {"a.jpg": [{"bbox": BOX, "label": "cat"}], "b.jpg": []},
        {"a.jpg": {"boxes": [BOX], "labels": ["cat"]}, "b.jpg": {"boxes": [], "labels": []}},
    ],
)
def test_other_forms_of_the_same_in_json(tmp_path, content):
    write(tmp_path, {"a.json": content})
    data = read(tmp_path, JSON_LINES)
    x, y, width, height = BOX
    assert objects_of(data)["a.jpg"] == [Object("cat", [x, y, x + width, y + height])]
    assert all(image.size is None and not image.boxes.size for image in data.images[1:])
    assert_only(tmp_path, JSON_LINES)


def test_objects_on_a_line_each_may_say_the_size_of_the_picture(tmp_path):
    entry = {"image": "a.jpg", "width": 40, "height": 30, "xmin": 1, "ymin": 2, "xmax": 11, "ymax": 22, "class": "cat"}
    write(tmp_path, {"a.json": [entry, entry]})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [Object("cat", [1, 2, 11, 22])] * 2} and data.images[0].size == (40, 30)


def test_aliases_in_a_card_do_not_blow_up(tmp_path):
    bomb = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 30))
    card = CARD.replace("---\ndata", f"---\na0: &a0 [x]\n{bomb}data")
    write(tmp_path, {"a.jsonl": lines({"image": "a.jpg", "boxes": [BOX], "labels": [1]}), "README.md": card})
    assert read(tmp_path, JSON_LINES).class_names == ("dog", "cat")


@pytest.mark.parametrize(
    "card", ["---\n[", "", "---\n" + "[" * 1000 + "\n---", "---\nclass_label: {names: {'0': x, '2': y}}\n---", b"\xff"]
)
def test_cards_without_names(tmp_path, card):
    write(tmp_path, {"a.jsonl": lines({"image": "a.jpg", "boxes": [BOX], "labels": [0]}), "README.md": card})
    assert read(tmp_path, JSON_LINES).class_names == ("0",)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "3\n", "[1]\n", "{", lines({"prompt": "x"}), lines({"file_name": "a.jpg", "text": "x"}),
        lines({"image": "a.jpg", "labels": ["x"]}), lines({"image": "a.jpg", "objects": {"name": ["x"]}}), "[" * 10_000,
    ],
)  # fmt: skip
def test_other_lines_are_left_alone(tmp_path, text):
    write(tmp_path, {"a.jsonl": text})
    assert find(tmp_path, JSON_LINES) == []


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ({"image": "b.jpg", "objects": [{"bbox": BOX}, {"bbox": BOX, "label": "cat"}]}, BAD_OBJECT, "no class name"),
        ({"image": "b.jpg", "objects": [{"bbox": BOX[:3], "label": "cat"}, {"bbox": BOX, "label": "cat"}]}, BAD_OBJECT,
         r"a\.jsonl line 2 object 1 \('cat'\) has no box"),
        ({"image": "b.jpg", "boxes": [BOX, BOX], "labels": ["cat"]}, BAD_OBJECT, "object 2 has no class name"),
        ({"image": "b.jpg", "boxes": [BOX], "labels": ["cat", "cat"]}, BAD_OBJECT, "object 2 .*has no box"),
        ({"image_file_name": 3, "objects": [{"bbox": BOX, "label": "cat"}]}, BAD_PATH, "names no picture"),
        ({"image": "b.jpg"}, BAD_FILE, "line 2 is no JSON object with a picture"),
        ("x", BAD_FILE, "line 2 is no JSON object with a picture"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_reported(tmp_path, line, kind, message):
    write(tmp_path, {"a.jsonl": lines({"image": "a.jpg", "objects": [{"bbox": BOX, "label": "cat"}]}, line)})
    assert_refused(tmp_path, JSON_LINES, message)
    problems = Problems()
    assert objects_of(read(tmp_path, JSON_LINES, problems))["a.jpg"] == [CAT]
    assert [each for each, _ in problems] == [kind]


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    line = {"file_name": "a.jpg", "width": 40, "height": 30, "objects": {"bbox": [BOX], "category": [0]}}
    write(tmp_path, {"a.jsonl": lines(line, line), "README.md": CARD})
    assert_survives_damage(tmp_path, JSON_LINES, "a.jsonl")
    assert_survives_damage(tmp_path, JSON_LINES, "README.md", 50)


@pytest.mark.slow
def test_damage_of_lists(tmp_path):
    box = {"label": "cat", "coordinates": {"x": 6, "y": 12, "width": 10, "height": 20}}
    write(tmp_path, {"a.json": [{"image": "a.jpg", "annotations": [box]}, {"image": "b.jpg", "annotations": [box]}]})
    assert_survives_damage(tmp_path, JSON_LINES, "a.json")
    label = {"category": "cat", "box2d": {"x1": 1, "y1": 2, "x2": 11, "y2": 22}}
    write(tmp_path, {"a.json": [{"name": "a.jpg", "labels": [label, label]}] * 2})
    assert_survives_damage(tmp_path, JSON_LINES, "a.json")


def test_flags_of_crowd_regions(tmp_path):
    columns = {"bbox": [BOX, BOX, BOX], "category": ["cat"] * 3, "iscrowd": [0, 1, "maybe"]}
    entries = [{"bbox": BOX, "label": "cat", "difficult": flag} for flag in (False, True)]
    write(
        tmp_path, {"a.jsonl": lines({"file_name": "a.jpg", "objects": columns}, {"image": "b.jpg", "objects": entries})}
    )
    problems = Problems()
    found = objects_of(read(tmp_path, JSON_LINES, problems))
    assert [[each.crowd for each in objects] for objects in found.values()] == [[False, True], [False, True]]
    ((kind, message),) = problems
    assert kind == BAD_OBJECT and "object 3 has the flag 'maybe', neither 0 nor 1" in message


@pytest.mark.parametrize(("mode", "box"), [(0, [1, 2, 11, 22]), (1, [1, 2, 12, 24]), ("0", [1, 2, 11, 22])])
def test_boxes_are_read_as_detectron2_says(tmp_path, mode, box):
    entry = {"bbox": [1, 2, 11, 22], "bbox_mode": mode, "category_id": 3, "category_name": "dog"}
    page = [{"file_name": "a.jpg", "height": 300, "width": 400, "annotations": [entry]}]
    write(tmp_path, {"a.json": page})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [Object("dog", box)]} and data.notes == ()
    for modes in (mode, [mode]):
        columns = {"bbox": [[1, 2, 11, 22]], "bbox_mode": modes, "category": ["dog"]}
        write(tmp_path, {"a.json": [{"file_name": "a.jpg", "objects": columns}]})
        assert objects_of(read(tmp_path, JSON_LINES)) == {"a.jpg": [Object("dog", box)]}


def test_boxes_in_other_modes_are_reported(tmp_path):
    entries = [{"bbox": [1, 2, 11, 22], "bbox_mode": mode, "category": "cat"} for mode in (4, None, 1, "XYXY")]
    pictures = [{"file_name": f"{len(each)}.jpg", "annotations": each} for each in (entries[:1], entries)]
    write(tmp_path, {"a.json": pictures})
    problems = Problems()
    assert [len(each) for each in objects_of(read(tmp_path, JSON_LINES, problems)).values()] == [0, 2]
    assert [kind for kind, _ in problems] == [BAD_OBJECT] * 3
    assert "object 1 has the bbox_mode 4, neither 0 nor 1: convert its box to one of these." in problems[0][1]


def test_the_last_labelling_job_of_a_line_counts(tmp_path):
    def job(left: int, name: str) -> tuple[dict, dict]:
        box = {"class_id": 0, "left": left, "top": 2, "width": 4, "height": 5}
        return {"annotations": [box]}, {"class-map": {"0": name}}

    (first, named), (last, renamed) = job(1, "cat"), job(3, "dog")
    line = {"source-ref": "a.jpg", "bb": first, "bb-metadata": named, "bb-new": last, "bb-new-metadata": renamed}
    write(tmp_path, {"a.manifest": lines(line)})
    data = read(tmp_path, JSON_LINES)
    assert objects_of(data) == {"a.jpg": [Object("dog", [3, 2, 7, 7])]}
    assert "Labels of earlier labelling jobs, which the last job of their line replaces: 1" in data.notes[0]


def test_a_number_that_has_no_name_does_not_take_the_others_names(tmp_path):
    entries = [{"bbox": BOX, "label": number} for number in (0, 1, -1)]
    write(tmp_path, {"a.jsonl": lines({"image": "a.jpg", "objects": entries}), "classes.txt": "cat\ndog\n"})
    problems = Problems()
    data = read(tmp_path, JSON_LINES, problems)
    assert data.class_names == ("cat", "dog") and [each.name for each in objects_of(data)["a.jpg"]] == ["cat", "dog"]
    ((kind, message),) = problems
    assert kind == UNKNOWN_CLASS and "unknown class '-1'" in message
    (tmp_path / "classes.txt").unlink()
    data = read(tmp_path, JSON_LINES)
    assert data.class_names == ("-1", "0", "1") and "numbers without names" in " ".join(data.notes)

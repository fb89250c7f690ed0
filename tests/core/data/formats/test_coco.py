import json
from itertools import count

import pytest

from core.data.annotations import BAD_OBJECT, BAD_PATH, UNKNOWN_CLASS, UNKNOWN_PICTURE
from core.data.formats import json_files
from core.data.formats.coco.reader import COCO
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    find,
    objects_of,
    read,
    write,
)  # fmt: skip
from tests.core.made_data import coco_content


def changed(**values) -> dict:
    """Returns the content with changes to the first object."""
    content = coco_content()
    content["annotations"][0].update(values)
    return content


def test_content_is_read(tmp_path):
    write(tmp_path, {"train.json": coco_content()})
    data = read(tmp_path, COCO)
    assert (data.class_names, data.category_ids, data.notes) == (("cat", "dog"), (2, 9), ())
    assert objects_of(data) == {
        "a.png": [Object("dog", [1, 2, 11, 22]), Object("cat", [0.5, 0.25, 8.5, 4.25], True)],
        "b.png": [],
    }
    first, second = data.images
    assert (first.size, first.image_id, first.split, first.relative) == ((40, 30), 7, None, False)
    assert first.source == tmp_path / "train.json" and second.image_id == 3


@pytest.mark.parametrize(
    "name", ["result.json", "labels.json", "train/_annotations.coco.json", "annotations/instances_default.json"]
)
def test_files_are_found_by_their_content(tmp_path, name):
    write(tmp_path, {name: coco_content(), "package.json": {"name": "x"}, "list.json": [1], "broken.json": "{"})
    assert find(tmp_path, COCO) == [name]
    assert_only(tmp_path, COCO)


def test_other_files_of_the_published_archive_are_not_read(tmp_path):
    panoptic = coco_content() | {"annotations": [{"segments_info": [], "image_id": 7, "file_name": "a.png"}]}
    captions = {"images": [], "annotations": [{"image_id": 7, "id": 1, "caption": "a dog"}]}
    info = {"images": coco_content()["images"], "categories": []}
    write(
        tmp_path,
        {
            "annotations/instances_val2017.json": coco_content(),
            "annotations/person_keypoints_val2017.json": coco_content(),
            "annotations/person_keypoints_train2017.json": coco_content(),
            "annotations/panoptic_val2017.json": panoptic,
            "annotations/captions_val2017.json": captions,
            "annotations/image_info_test2017.json": info,
        },
    )
    assert find(tmp_path, COCO) == [
        "annotations/instances_val2017.json", "annotations/person_keypoints_train2017.json"
    ]  # fmt: skip
    said = "annotations/{} was not read, as the instances of the same pictures lie beside it.".format
    names = ("panoptic_val2017.json", "person_keypoints_val2017.json")
    assert read(tmp_path, COCO).notes == (
        said("captions_val2017.json"),
        "annotations/image_info_test2017.json was not read, as it has no list 'annotations'.",
        *(said(name) for name in names),
    )


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (("annotations",), "it has no list 'annotations'"),
        (("categories",), "it has no list 'categories'"),
        (("annotations", "categories"), "it has no list 'annotations'"),
    ],
)
def test_a_file_of_a_split_that_is_not_read_is_named(tmp_path, missing, reason):
    content = {key: value for key, value in coco_content().items() if key not in missing}
    write(tmp_path, {"train.json": coco_content(), "ann/test.json": content, "package.json": {"images": ["a.png"]}})
    assert read(tmp_path, COCO).notes == (f"ann/test.json was not read, as {reason}.",)


def test_annotations_that_are_no_boxes_are_named(tmp_path):
    captions = coco_content() | {"annotations": [{"id": 1, "image_id": 7, "caption": "a dog"}]}
    write(tmp_path, {"train.json": coco_content(), "captions.json": captions})
    assert read(tmp_path, COCO).notes == ("captions.json was not read, as its annotations are not boxes with classes.",)


def test_an_annotation_that_is_no_object_does_not_hide_the_others(tmp_path):
    content = coco_content()
    content["annotations"].insert(0, {"id": 9, "image_id": 7, "caption": "a dog"})
    write(tmp_path, {"a.json": content})
    problems = Problems()
    assert len(objects_of(read(tmp_path, COCO, problems))["a.png"]) == 2
    assert problems == [
        (BAD_OBJECT, f"{tmp_path}/a.json, annotation 1 (id 9) has neither a category_id nor a bbox: "
         "correct or remove it.")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spelling", "crowd"),
    [("1", True), (True, True), ("true", True), (1.0, True), ("0", False), (None, False), ("no", False)],
)
def test_flags_as_tools_spell_them(tmp_path, spelling, crowd):
    write(tmp_path, {"a.json": changed(iscrowd=spelling)})
    assert objects_of(read(tmp_path, COCO))["a.png"][0].crowd is crowd


def test_an_unknown_flag_is_reported(tmp_path):
    write(tmp_path, {"a.json": changed(iscrowd="maybe")})
    problems = Problems()
    assert len(objects_of(read(tmp_path, COCO, problems))["a.png"]) == 1
    ((kind, message),) = problems
    assert kind == BAD_OBJECT and "annotation 1 (id 1) has the iscrowd 'maybe', neither 0 nor 1" in message


def test_numbers_as_text_or_with_fractions(tmp_path):
    content = changed(image_id="7", category_id=9.0, bbox=["1", 2.0, "10.0", 20])
    content["images"][0].update(id="7", width="40", height=30.0)
    write(tmp_path, {"a.json": content})
    data = read(tmp_path, COCO)
    assert objects_of(data)["a.png"][0] == Object("dog", [1, 2, 11, 22])
    assert (data.images[0].size, data.images[0].image_id) == ((40, 30), 7)


def test_ids_may_be_names(tmp_path):
    content = changed(image_id="x/a", category_id="d")
    content["images"][0]["id"] = "x/a"
    content["categories"][0]["id"] = "d"
    content["annotations"][1].update(id="b", image_id="x/a")
    write(tmp_path, {"a.json": content})
    data = read(tmp_path, COCO)
    assert (data.class_names, data.category_ids) == (("cat", "dog"), (1, 2))
    assert data.images[0].image_id is None and len(objects_of(data)["a.png"]) == 2
    assert data.notes == ("The categories have no numbers as ids: they are numbered from 1.",)


@pytest.mark.parametrize("size", [(None, 30), (0, 0), ("", ""), (40, 0)])
def test_missing_sizes(tmp_path, size):
    content = coco_content()
    content["images"][0].update(width=size[0], height=size[1])
    write(tmp_path, {"a.json": content})
    data = read(tmp_path, COCO)
    assert data.images[0].size is None and data.notes == ()


@pytest.mark.parametrize("width", ["wide", -40, 40.5, True, [40], 10**400])
def test_sizes_that_cannot_be_read_are_said(tmp_path, width):
    content = coco_content()
    content["images"][0]["width"] = width
    write(tmp_path, {"a.json": content})
    data = read(tmp_path, COCO)
    assert data.images[0].size is None
    assert data.notes == (
        "Annotated sizes that cannot be read and were not compared with the pictures: 1 (the first in a.json).",
    )


def test_several_files_have_the_same_categories(tmp_path):
    write(tmp_path, {"train.json": coco_content(), "val.json": coco_content()})
    assert [image.source.name for image in read(tmp_path, COCO).images] == ["train.json"] * 2 + ["val.json"] * 2


def test_both_unicode_forms_are_the_same_category(tmp_path):
    first, second = coco_content(), coco_content()
    first["categories"][0]["name"], second["categories"][0]["name"] = "\xe4", "a\u0308 "
    write(tmp_path, {"train.json": first, "val.json": second})
    assert read(tmp_path, COCO).class_names == ("cat", "\xe4")


@pytest.mark.parametrize("categories", [[{"id": 9, "name": "dog"}], []])
def test_files_with_fewer_categories_are_joined_and_said(tmp_path, categories):
    content = coco_content()
    content["categories"] = categories
    content["annotations"] = [] if not categories else content["annotations"][:1]
    write(tmp_path, {"train.json": coco_content(), "val.json": content})
    data = read(tmp_path, COCO)
    assert (data.class_names, data.category_ids) == (("cat", "dog"), (2, 9))
    assert data.notes == (f"val.json lists {len(categories)} of the 2 categories of all files.",)


def test_categories_of_all_files_are_used(tmp_path):
    first, second = coco_content(), coco_content()
    first["categories"], first["annotations"] = first["categories"][:1], first["annotations"][:1]
    second["categories"], second["annotations"] = second["categories"][1:], second["annotations"][1:]
    write(tmp_path, {"train.json": first, "val.json": second})
    data = read(tmp_path, COCO)
    assert data.class_names == ("cat", "dog")
    assert [[each.name for each in found] for found in (objects_of(data)["a.png"],)] == [["cat"]]
    assert [image.labels.tolist() for image in data.images] == [[1], [], [0], []]
    assert data.notes == tuple(f"{name}.json lists 1 of the 2 categories of all files." for name in ("train", "val"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": 8}, "'dog' has the id 9 in one and 8 in the other"),
        ({"name": "wolf"}, "the id 9 is 'dog' in one and 'wolf' in the other"),
        ({"id": 2, "name": "dog"}, "(the id 2 is 'cat' in one and 'dog' in the other|'dog' has the id 9 in one and 2)"),
    ],
)
def test_files_with_other_categories_are_refused(tmp_path, change, problem):
    content = coco_content()
    content["categories"] = [content["categories"][0] | change]
    content["annotations"].pop(0)
    write(tmp_path, {"train.json": coco_content(), "val.json": content})
    assert_refused(tmp_path, COCO, rf"train\.json and .*val\.json have different categories \({problem}")


def test_a_category_that_only_groups_the_others_is_no_class(tmp_path):
    content = coco_content()
    for category in content["categories"]:
        category["supercategory"] = "dog"
    content["categories"].append({"id": 0, "name": "dog", "supercategory": "none"})  # the name of a class, too
    write(tmp_path, {"a.json": content})
    data = read(tmp_path, COCO)
    assert (data.class_names, data.category_ids) == (("cat", "dog"), (2, 9))
    assert data.notes == ("The category 'dog' has no objects and only groups the others: it is not a class.",)
    content["annotations"][0]["category_id"] = 0  # used
    content["categories"][2]["name"] = content["categories"][0]["supercategory"] = "animal"
    content["categories"][1]["supercategory"] = "animal"
    write(tmp_path, {"a.json": content})
    assert read(tmp_path, COCO).class_names == ("animal", "cat", "dog")


def test_names_may_be_numbers(tmp_path):
    content = coco_content()
    content["categories"][0]["name"] = 7
    write(tmp_path, {"a.json": content})
    assert read(tmp_path, COCO).class_names == ("cat", "7")


@pytest.mark.parametrize("bbox", [None, []])
def test_polygons_without_a_box(tmp_path, bbox):
    write(tmp_path, {"a.json": changed(bbox=bbox, segmentation=[[1, 2, 9, 2, 5, 8], [3, 1, 4, 1, 4, 2.5]])})
    data = read(tmp_path, COCO)
    assert objects_of(data)["a.png"][0].box == [1, 1, 9, 8]
    assert data.notes == ("Polygons without a box, read as their bounds: 1 (the first in a.json).",)


@pytest.mark.parametrize("ids", [(None, None), (1, 1), ([3], "x")])
def test_annotations_need_no_ids(tmp_path, ids):
    content = coco_content()
    polygon = [[1, 2, 9, 2, 5, 8]]
    for each, annotation_id in zip(content["annotations"], ids, strict=True):
        each.update(id=annotation_id, bbox=None, segmentation=polygon)
        polygon = [[3, 1, 4, 1, 4, 2.5]]
    write(tmp_path, {"a.json": content})
    assert [each.box for each in objects_of(read(tmp_path, COCO))["a.png"]] == [[1, 2, 9, 8], [3, 1, 4, 2.5]]


@pytest.mark.parametrize("segmentation", [[], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5]], {"counts": "x"}, "x", [["1"] * 6]])
def test_neither_box_nor_polygon(tmp_path, segmentation):
    write(tmp_path, {"a.json": changed(bbox=[], segmentation=segmentation)})
    assert_refused(tmp_path, COCO, r"annotation 1 \(id 1\) has no bbox of four numbers")


@pytest.mark.parametrize("bbox", [None, [], [0, 0, 0, 0], [0.0, 0.0, 0.0, 0.0]])
def test_masks_without_a_box(tmp_path, bbox):
    mask = {"size": [4, 3], "counts": [5, 2, 3, 1, 1]}  # rows 1 and 2 of column 1, row 2 of column 2
    write(tmp_path, {"a.json": changed(bbox=bbox, segmentation=mask)})
    data = read(tmp_path, COCO)
    assert objects_of(data)["a.png"][0].box == [1, 1, 3, 3]
    assert data.notes == ("Masks without a box, read as their bounds: 1 (the first in a.json).",)


def test_an_outline_goes_before_an_empty_box_only(tmp_path):
    polygon = [[1, 2, 9, 2, 5, 8]]
    write(tmp_path, {"a.json": changed(bbox=[0, 0, 0, 0], segmentation=polygon)})
    assert objects_of(read(tmp_path, COCO))["a.png"][0].box == [1, 2, 9, 8]
    write(tmp_path, {"a.json": changed(bbox=[0, 0, 1, 0], segmentation=polygon)})
    assert objects_of(read(tmp_path, COCO))["a.png"][0].box == [0, 0, 1, 0]
    write(tmp_path, {"a.json": changed(bbox=[0, 0, 0, 0])})
    assert objects_of(read(tmp_path, COCO))["a.png"][0].box == [0, 0, 0, 0]


def test_negative_sizes_are_read_between_the_corners_and_said(tmp_path):
    write(tmp_path, {"a.json": changed(bbox=[20, 30, -12, -9.5])})
    data = read(tmp_path, COCO)
    assert objects_of(data)["a.png"][0].box == [8, 20.5, 20, 30]
    assert data.notes == (
        "Boxes with a negative width or height, read as between their corners: 1 (the first in a.json).",
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://images.cocodataset.org/train2017/000391895.jpg", "train2017/000391895.jpg"),
        ("https://x.org/my%20dir/a.jpg?size=3#top", "my dir/a.jpg"),
    ],
)
def test_an_address_names_a_picture_without_a_file_name(tmp_path, url, name):
    content = coco_content()
    del content["images"][0]["file_name"]
    content["images"][0]["coco_url"] = url
    write(tmp_path, {"a.json": content})
    assert [image.name for image in read(tmp_path, COCO).images] == [name, "b.png"]


@pytest.mark.parametrize("url", ["http://[x/a.png", "http://x.org", 3])
def test_an_address_without_a_path_is_no_name(tmp_path, url):
    content = coco_content()
    content["images"][1] = {"id": 3, "coco_url": url}
    write(tmp_path, {"a.json": content})
    problems = Problems()
    assert list(objects_of(read(tmp_path, COCO, problems))) == ["a.png"]
    assert [kind for kind, _ in problems] == [BAD_PATH]


def test_names_of_windows(tmp_path):
    content = coco_content()
    content["images"][0]["file_name"] = "images\\a.png"
    write(tmp_path, {"a.json": content})
    assert read(tmp_path, COCO).images[0].name == "images/a.png"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path, encoding):
    write(tmp_path, {"a.json": json.dumps(coco_content(), indent=1).replace("\n", "\r\n").encode(encoding)})
    assert len(read(tmp_path, COCO).images) == 2


def test_numbers_that_json_does_not_have(tmp_path):
    text = json.dumps(changed(bbox=[1, 2, 10**400, 20], area=float("nan")))
    text = text.replace('"bbox": [0.5', '"bbox": [NaN')
    write(tmp_path, {"a.json": text})
    problems = Problems()
    assert objects_of(read(tmp_path, COCO, problems))["a.png"] == [Object("dog", [1, 2, float("inf"), 22])]
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"image_id": 8}, UNKNOWN_PICTURE, r"annotation 1 \(id 1\) has the unknown image_id 8"),
        ({"image_id": True}, UNKNOWN_PICTURE, "unknown image_id True"),
        ({"image_id": None}, UNKNOWN_PICTURE, "unknown image_id None"),
        ({"category_id": 1}, UNKNOWN_CLASS, r"annotation 1 \(id 1\) has the unknown category_id 1"),
        ({"category_id": [2]}, UNKNOWN_CLASS, r"unknown category_id \[2\]"),
        ({"bbox": [1, 2, 3]}, BAD_OBJECT, r"annotation 1 \(id 1\) has no bbox of four numbers"),
        ({"bbox": ["x", 2, 3, 4]}, BAD_OBJECT, r"annotation 1 \(id 1\) has no bbox of four numbers"),
        ({"bbox": {"x": 1}}, BAD_OBJECT, r"annotation 1 \(id 1\) has no bbox of four numbers"),
    ],
)
def test_objects_that_cannot_be_used(tmp_path, change, kind, message):
    write(tmp_path, {"a.json": changed(**change)})
    assert_refused(tmp_path, COCO, message)
    problems = Problems()
    assert len(objects_of(read(tmp_path, COCO, problems))["a.png"]) == 1
    assert [each for each, _ in problems] == [kind]


def test_a_picture_without_a_name_is_reported(tmp_path):
    content = coco_content()
    del content["images"][1]["file_name"]
    write(tmp_path, {"a.json": content})
    problems = Problems()
    assert list(objects_of(read(tmp_path, COCO, problems))) == ["a.png"]
    assert [kind for kind, _ in problems] == [BAD_PATH]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["images"][1].update(id=7), "id 7 is used twice in 'images'"),
        (lambda c: c["images"][1].update(id="7"), "id 7 is used twice in 'images'"),
        (lambda c: c["categories"][1].update(id=9), "id 9 is used twice in 'categories'"),
        (lambda c: c["categories"][1].update(name="dog"), "distinct names"),
        (lambda c: c["categories"][1].update(name="\ud800"), "distinct names|not JSON"),
        (lambda c: c["categories"][1].pop("name"), "distinct names"),
        (lambda c: c["categories"].clear() or c["annotations"].clear(), "distinct names"),
        (lambda c: c["images"][0].update(id=[7]), r"entry 1 of 'images' has the id \[7\], which is no number or text"),
        (lambda c: c["images"][0].pop("id"), "entry 1 of 'images' has no id: give each entry its own id"),
        (lambda c: c.update(images={}), "no list 'images'"),
        (lambda c: c.update(images=[3]), "no list 'images'"),
    ],
)
def test_contradictions_are_named(tmp_path, change, message):
    content = coco_content()
    change(content)
    write(tmp_path, {"train.json": content})
    assert_refused(tmp_path, COCO, rf"train\.json.*({message})")


@pytest.mark.parametrize("rest", ["", "[" * 100_000, "]" * 10, "\0", '"'])
def test_a_damaged_file_is_named(tmp_path, rest):
    write(tmp_path, {"train.json": json.dumps(coco_content())[:-40] + rest})
    assert_refused(tmp_path, COCO, r"train\.json cannot be used because it is not JSON")


def test_large_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "MAX_JSON_BYTES", 100)
    write(tmp_path, {"train.json": coco_content()})
    assert_refused(tmp_path, COCO, r"train\.json is larger than")


def test_objects_keep_their_order_in_many_pictures(tmp_path):
    numbers = count(1)
    content = {
        "images": [{"id": 100 - each, "file_name": f"{each}.png"} for each in range(20)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": next(numbers), "image_id": 100 - each, "category_id": 1, "bbox": [each, turn, 1, 1]}
            for turn in range(3)
            for each in range(0, 20, 2)
        ],
    }
    write(tmp_path, {"a.json": content})
    assert objects_of(read(tmp_path, COCO)) == {
        f"{each}.png": [Object("cat", [each, turn, each + 1, turn + 1]) for turn in range(3)] if each % 2 == 0 else []
        for each in range(20)
    }


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.json": changed(segmentation=[[1, 2, 3, 4, 5, 6]])})
    assert_survives_damage(tmp_path, COCO, "a.json", 300)

import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH
from core.data.formats.tools.label_studio import LABEL_STUDIO
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    objects_of,
    read,
    write,
)  # fmt: skip

VALUE = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["cat"]}
CAT = Object("cat", [0.1, 0.2, 0.4, 0.6])


def result(kind: str = "rectanglelabels", width: object = 40, **value: object) -> dict:
    return {"type": kind, "original_width": width, "original_height": 30, "value": VALUE | value, "from_name": "label"}


def task(*results: object, image: object = "/data/upload/1/0123abcd-a.jpg") -> dict:
    return {"id": 1, "data": {"image": image}, "annotations": [{"result": list(results), "was_cancelled": False}]}


def test_content_is_read(tmp_path):
    write(tmp_path, {"export.json": [task(result()), task(image="s3://bucket/b.jpg")]})
    data = read(tmp_path, LABEL_STUDIO)
    assert objects_of(data) == {"/data/upload/1/0123abcd-a.jpg": [CAT], "/b.jpg": []}
    assert data.images[0].relative and data.images[0].size == (40, 30) and data.notes == ()
    assert_only(tmp_path, LABEL_STUDIO)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("/data/upload/1/0123abcd-a.jpg", "a.jpg"),  # the picture as it was before the upload
        ("/data/local-files/?d=sub%2Fb.jpg", "sub/b.jpg"),
        ("http://host/x/b%20c.png?v=1", "/x/b c.png"),
        ("images/b.jpg", "images/b.jpg"),
    ],
)
def test_names(tmp_path, image, name):
    write(tmp_path, {"a.jpg": "", "a.json": [task(result(), image=image)]})
    assert list(objects_of(read(tmp_path, LABEL_STUDIO))) == [name]


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (result("polygonlabels", points=[[10, 20], [40, 30], [20, 60]], polygonlabels=["cat"]), [0.1, 0.2, 0.4, 0.6]),
        (result("ellipselabels", x=50, y=50, radiusX=10, radiusY=20, ellipselabels=["cat"]), [0.4, 0.3, 0.6, 0.7]),
        # 12×12 pixels from (4, 6), turned clockwise about that corner: to the left of it.
        (result(rotation=90), [-0.2, 0.2, 0.1, 0.6]),
    ],
)
def test_outlines_become_their_bounds(tmp_path, shape, box):
    write(tmp_path, {"a.json": [task(shape)]})
    data = read(tmp_path, LABEL_STUDIO)
    assert next(iter(objects_of(data).values())) == [Object("cat", box)]
    assert data.notes == ("Turned boxes, polygons and ellipses read as their bounds: 1 (the first in a.json).",)


@pytest.mark.parametrize(
    "wrong",
    [
        result(x="x"), result(rotation="x"), result(rotation=5, width=None),
        result("polygonlabels", polygonlabels=["cat"]),
        result(rectanglelabels=[]), result(rectanglelabels=["cat", "dog"]), result() | {"value": 3},
    ],
)  # fmt: skip
def test_results_that_cannot_be_used_are_reported(tmp_path, wrong):
    write(tmp_path, {"a.json": [task(wrong, result(), image="a.jpg")]})
    problems = Problems()
    assert objects_of(read(tmp_path, LABEL_STUDIO, problems)) == {"a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_tasks_that_are_left_out_are_said(tmp_path):
    skipped = task(result()) | {"annotations": [{"result": [], "was_cancelled": True}]}
    twice = task(image="a.jpg") | {"annotations": [{"result": [result(), {"type": "choices"}]}, {"result": []}]}
    write(tmp_path, {"a.json": [skipped, task() | {"annotations": []}, twice, 3, task(image=5)]})
    problems = Problems()
    data = read(tmp_path, LABEL_STUDIO, problems)
    assert objects_of(data) == {"a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_FILE, BAD_PATH]
    assert [note.partition(":")[0] for note in data.notes] == [
        "Tasks without an annotation, which were left out",
        "Tasks with several annotations, of which the first was used",
        "Results other than rectangles, polygons and ellipses, which were left out",
    ]


def test_labels_may_be_results_of_their_own(tmp_path):
    place = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}
    size = {"original_width": 40, "original_height": 30}
    shape = {"id": "k", "type": "rectangle", "value": place, **size}
    label = {"id": "k", "type": "labels", "value": {**place, "labels": ["cat"]}, **size}
    write(tmp_path, {"a.json": [task(shape, label, image="a.jpg")]})
    data = read(tmp_path, LABEL_STUDIO)
    assert objects_of(data) == {"a.jpg": [CAT]} and data.notes == ()


def test_the_ground_truth_goes_first_and_empty_annotations_last(tmp_path):
    other = result(rectanglelabels=["dog"])
    tasks = [
        task(image="a.jpg") | {"annotations": [{"result": [other]}, {"result": [result()], "ground_truth": True}]},
        task(image="b.jpg") | {"annotations": [{"result": []}, {"result": [result()]}]},
    ]
    write(tmp_path, {"a.json": tasks})
    data = read(tmp_path, LABEL_STUDIO)
    assert objects_of(data) == {"a.jpg": [CAT], "b.jpg": [CAT]}
    assert "of which the ground truth or the first with results was used: 2" in data.notes[0]


def test_older_versions_and_predictions(tmp_path):
    content = task(image="a.jpg")
    del content["annotations"]
    write(tmp_path, {"a.json": [content | {"completions": [{"result": [result()]}]}]})
    assert objects_of(read(tmp_path, LABEL_STUDIO)) == {"a.jpg": [CAT]}
    write(tmp_path, {"a.json": [content | {"predictions": [{"result": [result()]}]}]})
    assert_refused(tmp_path, LABEL_STUDIO, r"Tasks with predictions only, which were left out: 1 ")


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(
        tmp_path, {"a.json": [task(result(rotation=3)), task(result("polygonlabels", points=[[1, 2], [3, 4], [5, 6]]))]}
    )
    assert_survives_damage(tmp_path, LABEL_STUDIO, "a.json")

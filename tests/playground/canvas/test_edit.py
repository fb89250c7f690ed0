"""Messages from the browser, which may hold anything."""

import pytest
import torch

from core.errors import UserError
from playground.canvas.edit import ClassChange, parse_class_change, parse_click, parse_edit
from playground.support.picture_limits import MAX_BOXES

NAMES = ("cat", "dog", "owl")
NUMBERS = [None, "1", True, [], float("nan"), float("inf"), 10**400]


def drawn(x1=1, y1=2, x2=11, y2=12, label=0):
    return {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "label": label}


def edit(boxes, classes=NAMES, rejected=(), *, free_classes=False):
    fields = {"boxes": boxes, "classes": list(classes), "rejected": list(rejected)}
    return parse_edit(fields, 64, 48, NAMES, free_classes=free_classes)


# ---- drawn boxes


def test_drawn_boxes_are_clipped_ordered_and_dropped_when_under_a_pixel():
    data = [drawn(), drawn(x1=-9.5, x2=200, label=2), drawn(x1=11, x2=1), drawn(x1=5, x2=5.9), drawn(y1=-30, y2=0)]
    found = edit(data)
    torch.testing.assert_close(found.boxes, torch.tensor([[1.0, 2, 11, 12], [0, 2, 64, 12], [1, 2, 11, 12]]))
    assert found.labels.tolist() == [0, 2, 0]
    assert (found.boxes.dtype, found.labels.dtype) == (torch.float32, torch.int64)
    assert found.class_names == NAMES


def test_an_empty_ground_truth_is_valid():
    boxes, labels, _, rejected = edit([])
    assert (boxes.shape, labels.shape, rejected.shape) == ((0, 4), (0,), (0, 4))
    assert (boxes.dtype, labels.dtype, rejected.dtype) == (torch.float32, torch.int64, torch.float32)


@pytest.mark.parametrize("data", [None, "[]", 3, {"boxes": []}, (1, 2)])
def test_anything_but_a_list_is_refused(data):
    with pytest.raises(UserError, match="The drawn boxes must be a list"):
        edit(data)


def test_too_many_boxes_are_refused():
    assert len(edit([drawn()] * MAX_BOXES).boxes) == MAX_BOXES
    with pytest.raises(UserError, match="At most 500 boxes can be drawn, not 501"):
        edit([drawn()] * (MAX_BOXES + 1))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_coordinate_must_be_a_number(number):
    with pytest.raises(UserError, match="Box 2: x2 must be a number"):
        edit([drawn(), drawn(x2=number)])
    with pytest.raises(UserError, match="Suggestion 2: x2 must be a number"):
        edit([], rejected=[drawn(), drawn(x2=number)])


@pytest.mark.parametrize("label", [None, -1, 3, 1.0, "0", True])
def test_a_class_must_exist(label):
    with pytest.raises(UserError, match="Box 1: its class must be a whole number from 0 to 2"):
        edit([drawn(label=label)])


def test_a_box_must_be_an_object():
    with pytest.raises(UserError, match="Box 1 must have x1, y1, x2, y2 and label"):
        edit([[1, 2, 3, 4, 0]])


# ---- rejected suggestions


def test_rejected_suggestions_need_no_class_and_may_be_missing():
    rejected = edit([], rejected=[{"x1": 1, "y1": 2, "x2": 3, "y2": 4}, drawn(x2=1.5), drawn(x1=99)]).rejected
    assert rejected.tolist() == [[1, 2, 3, 4], [11, 2, 64, 12]]
    assert parse_edit({"boxes": [], "classes": list(NAMES)}, 64, 48, NAMES).rejected.shape == (0, 4)


@pytest.mark.parametrize("rejected", ["[]", 3, {}, False])
def test_rejected_suggestions_must_be_a_list(rejected):
    with pytest.raises(UserError, match="rejected suggestions must be a list"):
        parse_edit({"boxes": [], "classes": list(NAMES), "rejected": rejected}, 64, 48, NAMES)


def test_too_many_rejected_suggestions_are_refused():
    with pytest.raises(UserError, match="At most 500 suggestions can be rejected, not 501"):
        edit([], rejected=[drawn()] * (MAX_BOXES + 1))
    with pytest.raises(UserError, match=r"Suggestion 1 must have x1, y1, x2, y2\."):
        edit([], rejected=[7])


# ---- classes


def test_free_classes_are_those_of_the_edit():
    found = edit([drawn(label=1)], [" Katze ", "e\u0301toile"], free_classes=True)
    assert found.class_names == ("Katze", "étoile") and found.labels.tolist() == [1]
    with pytest.raises(UserError, match="whole number from 0 to 1"):
        edit([drawn(label=2)], ["a", "b"], free_classes=True)


@pytest.mark.parametrize("names", [["a", "A"], ["a\nb"], [""], [3], ["x" * 41], [str(number) for number in range(51)]])
def test_free_classes_are_not_trusted(names):
    with pytest.raises(UserError, match="class"):
        edit([], names, free_classes=True)


@pytest.mark.parametrize("names", [("cat", "dog"), ("cat", "owl", "dog"), (*NAMES, "elk"), ()])
def test_other_classes_than_those_on_show_are_refused(names):
    with pytest.raises(UserError, match="classes of this picture have changed"):
        edit([drawn()], names)


@pytest.mark.parametrize("names", [None, "cat", 3, {"cat": 0}])
def test_classes_must_be_a_list(names):
    for free in (False, True):
        with pytest.raises(UserError, match="class"):
            parse_edit({"boxes": [], "classes": names}, 64, 48, NAMES, free_classes=free)


def test_fixed_classes_may_have_any_name_and_number():
    names = tuple(f"{number} {'x' * 60}" for number in range(80))  # as data sets have
    found = parse_edit({"boxes": [drawn(label=79)], "classes": list(names)}, 64, 48, names)
    assert found.class_names == names


def change(action, index, value):
    return parse_class_change({"action": action, "index": index, "value": value, "classes": list(NAMES)}, NAMES)


def test_a_class_is_renamed_merged_or_recoloured():
    assert change("rename", 1, " wolf ") == ClassChange("rename", 1, name="wolf")
    assert change("rename", 1, "DOG") == ClassChange("rename", 1, name="DOG")  # only its case changes
    assert change("merge", 2, 0) == ClassChange("merge", 2, into=0)
    assert change("recolour", 0, "#ABCDEF") == ClassChange("recolour", 0, colour="#abcdef")


@pytest.mark.parametrize(
    ("action", "index", "value", "sentence"),
    [
        ("rename", 1, "CAT", "already a class “cat”"),
        ("rename", 1, "", "is empty"),
        ("rename", 1, None, "must be a text"),
        ("rename", 3, "elk", "no such class"),
        ("rename", -1, "elk", "no such class"),
        ("rename", True, "elk", "no such class"),
        ("rename", 1.0, "elk", "no such class"),
        ("merge", 1, 1, "into itself"),
        ("merge", 1, 3, "no such class"),
        ("merge", 1, "cat", "no such class"),
        ("recolour", 1, "red", "must be # and six"),
        ("recolour", 1, 7, "must be # and six"),
        ("delete", 1, "", "can be renamed, merged"),
        (None, 1, "", "can be renamed, merged"),
        ([], 1, "", "can be renamed, merged"),
    ],
)
def test_other_changes_are_refused(action, index, value, sentence):
    with pytest.raises(UserError, match=sentence):
        change(action, index, value)


def test_a_change_without_fields_is_refused():
    with pytest.raises(UserError, match="no such class"):
        parse_class_change({"classes": list(NAMES)}, NAMES)


@pytest.mark.parametrize("names", [None, [], ["cat"], "cat", [["cat"]]])
def test_a_change_from_a_view_of_other_classes_is_refused(names):
    with pytest.raises(UserError, match="in another tab"):
        parse_class_change({"action": "rename", "index": 0, "value": "x", "classes": names}, NAMES)


# ---- clicks


@pytest.mark.parametrize("number", NUMBERS)
def test_a_clicks_coordinate_must_be_a_number(number):
    with pytest.raises(UserError, match="The click's y must be a number"):
        parse_click(1, number, 64, 48)


def test_a_click_is_clipped_to_the_picture():
    assert parse_click(-3, 12.5, 64, 48) == (0, 12.5, "", -1)
    assert parse_click(1e300, 50, 64, 48, "kept", 3) == (64, 48, "kept", 3)


@pytest.mark.parametrize(("layer", "index"), [(None, 1), (5, 1), ("kept", -1), ("kept", 1.0), ("kept", True)])
def test_a_click_beside_all_boxes_is_a_point(layer, index):
    assert parse_click(3, 4, 64, 48, layer, index) == (3, 4, "", -1)

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import UserError
from playground.canvas import canvas as module
from playground.canvas.canvas import KEPT_PICTURES, canvas, fetch_picture, payload, picture_url
from playground.canvas.edit import MAX_BOXES, parse_click, parse_edit
from playground.canvas.view import COLOURS, TRUTH, Heat, Layer, View

BOXES = np.array([[1.5, 2, 30, 40], [-5, 0, 12.25, 7]], dtype=np.float32)


def floats(text):
    return np.frombuffer(b64decode(text), dtype="<f4")


def packed(*layers, **view):
    return json.loads(payload(View("data:image/png;base64,AAAA", 64, 48, layers, **view)))


def decode(url):
    return np.asarray(Image.open(BytesIO(b64decode(url.split(",")[1]))).convert("RGB"))


# ---- pictures


def test_a_tiny_picture_is_sent_without_loss_and_a_larger_one_nearly():
    tiny = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    assert picture_url(tiny).startswith("data:image/png;base64,")
    np.testing.assert_array_equal(decode(picture_url(tiny)), tiny.permute(1, 2, 0))

    large = torch.full((3, 200, 300), 90, dtype=torch.uint8)
    assert picture_url(large).startswith("data:image/jpeg;base64,")
    assert np.abs(decode(picture_url(large)).astype(int) - 90).max() <= 2


@pytest.mark.parametrize("image", [torch.zeros(3, 4, 4), torch.zeros(1, 4, 4).byte(), torch.zeros(3, 0, 4).byte()])
def test_other_types_and_shapes_are_refused(image):
    with pytest.raises(ValueError, match="A picture must be uint8"):
        picture_url(image)


def test_the_value_names_the_picture_and_the_browser_can_fetch_it():
    view = json.loads(payload(View("data:image/png;base64,QUJD", 4, 4)))
    assert "QUJD" not in json.dumps(view)
    assert fetch_picture(view["picture"]) == "data:image/png;base64,QUJD"
    assert payload(View()) == payload(View(None))
    assert json.loads(payload(View()))["picture"] is None


@pytest.mark.parametrize("key", ["unknown", "", None, 3, ["x"], {"a": 1}])
def test_other_keys_fetch_nothing(key):
    assert fetch_picture(key) is None


def test_only_the_latest_pictures_are_kept(monkeypatch):
    monkeypatch.setattr(module, "_pictures", type(module._pictures)())
    keys = [json.loads(payload(View(f"data:{index}", 4, 4)))["picture"] for index in range(KEPT_PICTURES)]
    payload(View("data:0", 4, 4))  # used again: the second is now the oldest
    payload(View("data:new", 4, 4))
    assert fetch_picture(keys[0]) == "data:0"
    assert fetch_picture(keys[1]) is None
    assert fetch_picture(keys[2]) == "data:2"


# ---- layers


def test_arrays_survive_packing():
    layer = Layer("kept", "Kept", "kept", BOXES, values=torch.tensor([0.25, 1.0]), captions=("a", "b"), links=BOXES + 1)
    (got,) = packed(layer)["layers"]
    np.testing.assert_array_equal(floats(got["boxes"]), BOXES.ravel())
    np.testing.assert_array_equal(floats(got["values"]), [0.25, 1.0])
    np.testing.assert_array_equal(floats(got["links"]), (BOXES + 1).ravel())
    assert got["count"] == 2
    assert got["captions"] == ["a", "b"]
    assert got["colour"] == COLOURS["kept"]


def test_an_empty_layer_is_a_layer():
    (got,) = packed(Layer("kept", "Kept", "kept", torch.zeros(0, 4)))["layers"]
    assert (got["boxes"], got["count"]) == ("", 0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"colour": "pink"}, "'pink' is not the role of a colour"),
        ({"boxes": np.zeros((2, 5))}, r"boxes must be \[2, 4\], not \[2, 5\]"),
        ({"values": np.zeros(3)}, r"values must be \[2\], not \[3\]"),
        ({"links": np.zeros((2, 2))}, r"links must be \[2, 4\]"),
        ({"captions": ("one",)}, "1 captions for 2 boxes"),
        ({"labels": np.zeros(1)}, "1 labels for 2 boxes"),
    ],
)
def test_arrays_of_different_lengths_are_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        packed(Layer("kept", "Kept", "kept", BOXES)._replace(**change))


def test_an_editable_truth_needs_labels():
    truth = Layer(TRUTH, "Ground truth", "truth", BOXES)
    with pytest.raises(ValueError, match="must have labels"):
        packed(truth, editable=True)
    assert packed(truth._replace(labels=torch.tensor([1, 0])), editable=True)["layers"][0]["labels"] == [1, 0]


def test_a_heat_map_has_256_steps():
    heat = Heat("loss", "Loss", np.array([[0, 0.5, 1], [np.nan, -1, 2]]), (0, 0, 64, 48))
    got = packed(heat=heat)["heat"]
    assert list(b64decode(got["values"])) == [0, 128, 255, 0, 0, 255]
    assert (got["rows"], got["columns"], got["count"]) == (2, 3, 6)
    with pytest.raises(ValueError, match=r"values must be \[h, w\]"):
        packed(heat=heat._replace(values=np.zeros(3)))


def test_a_name_like_markup_stays_a_name(recwarn):
    name = "<script>alert(1)</script>${alert(2)}{{value}}"
    value = payload(View("data:x", 4, 4, (Layer("a", name, "kept", BOXES),), classes=(name,), alt=name))
    assert "<" not in value
    assert json.loads(value)["layers"][0]["label"] == json.loads(value)["alt"] == name
    canvas("canvas").postprocess(value)
    assert not recwarn.list


def test_every_role_of_a_pipeline_has_its_own_colour():
    for roles in (("truth", "foreground", "ignored", "background"), ("before", "kept", "suppressed", "beyond_cap")):
        assert len({COLOURS[role] for role in (*roles, "truth")}) == len({*roles, "truth"})
    assert len({COLOURS[f"level{level}"] for level in range(5)}) == 5
    assert len({COLOURS[f"class{label}"] for label in range(10)}) == 10


# ---- messages from the browser


def drawn(x1=1, y1=2, x2=11, y2=12, label=0):
    return {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "label": label}


def test_drawn_boxes_are_clipped_ordered_and_dropped_when_under_a_pixel():
    data = [drawn(), drawn(x1=-9.5, x2=200, label=2), drawn(x1=11, x2=1), drawn(x1=5, x2=5.9), drawn(y1=-30, y2=0)]
    boxes, labels = parse_edit(data, 64, 48, 3)
    torch.testing.assert_close(boxes, torch.tensor([[1.0, 2, 11, 12], [0, 2, 64, 12], [1, 2, 11, 12]]))
    assert labels.tolist() == [0, 2, 0]
    assert (boxes.dtype, labels.dtype) == (torch.float32, torch.int64)


def test_an_empty_ground_truth_is_valid():
    boxes, labels = parse_edit([], 64, 48, 3)
    assert (boxes.shape, labels.shape) == ((0, 4), (0,))
    assert (boxes.dtype, labels.dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize("data", [None, "[]", 3, {"boxes": []}])
def test_anything_but_a_list_is_refused(data):
    with pytest.raises(UserError, match="must be a list"):
        parse_edit(data, 64, 48, 3)


def test_too_many_boxes_are_refused():
    assert len(parse_edit([drawn()] * MAX_BOXES, 64, 48, 3)[0]) == MAX_BOXES
    with pytest.raises(UserError, match="At most 500 boxes can be drawn, not 501"):
        parse_edit([drawn()] * (MAX_BOXES + 1), 64, 48, 3)


@pytest.mark.parametrize("number", [None, "1", True, [], float("nan"), float("inf"), 10**400])
def test_a_coordinate_must_be_a_number(number):
    with pytest.raises(UserError, match="Box 2: x2 must be a number"):
        parse_edit([drawn(), drawn(x2=number)], 64, 48, 3)
    with pytest.raises(UserError, match="The click's y must be a number"):
        parse_click(1, number, 64, 48)


@pytest.mark.parametrize("label", [None, -1, 3, 1.0, "0", True])
def test_a_class_must_exist(label):
    with pytest.raises(UserError, match="Box 1: its class must be a whole number from 0 to 2"):
        parse_edit([drawn(label=label)], 64, 48, 3)


def test_a_box_must_be_an_object():
    with pytest.raises(UserError, match="Box 1 must have x1, y1, x2, y2 and label"):
        parse_edit([[1, 2, 3, 4, 0]], 64, 48, 3)


def test_a_click_is_clipped_to_the_picture():
    assert parse_click(-3, 12.5, 64, 48) == (0, 12.5, "", -1)
    assert parse_click(1e300, 50, 64, 48, "kept", 3) == (64, 48, "kept", 3)


@pytest.mark.parametrize(("layer", "index"), [(None, 1), (5, 1), ("kept", -1), ("kept", 1.0), ("kept", True)])
def test_a_click_beside_all_boxes_is_a_point(layer, index):
    assert parse_click(3, 4, 64, 48, layer, index) == (3, 4, "", -1)

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from playground.canvas import canvas as module
from playground.canvas.canvas import KEPT_PICTURES, canvas, find_picture, payload, picture_url
from playground.canvas.view import COLOURS, SUGGESTIONS, TRUTH, Heat, Layer, View
from playground.support.names import CLASS_COLOURS

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
    assert find_picture(view["picture"]) == "data:image/png;base64,QUJD"
    assert payload(View()) == payload(View(None))
    assert json.loads(payload(View()))["picture"] is None


@pytest.mark.parametrize("key", ["unknown", "", None, 3, ["x"], {"a": 1}])
def test_other_keys_fetch_nothing(key):
    assert find_picture(key) is None


def test_only_the_visitor_who_sees_a_picture_can_fetch_it():
    keys = [json.loads(payload(View("data:QUJD", 4, 4), visitor=each))["picture"] for each in ("a", "b")]
    assert keys[0] != keys[1] and find_picture(keys[0], "a") == find_picture(keys[1], "b") == "data:QUJD"
    assert find_picture(keys[0], "b") is find_picture(keys[0], "") is None


def test_only_the_latest_pictures_are_kept(monkeypatch):
    monkeypatch.setattr(module, "_pictures", type(module._pictures)())
    keys = [json.loads(payload(View(f"data:{index}", 4, 4)))["picture"] for index in range(KEPT_PICTURES)]
    payload(View("data:0", 4, 4))  # used again: the second is now the oldest
    payload(View("data:new", 4, 4))
    assert find_picture(keys[0]) == "data:0"
    assert find_picture(keys[1]) is None
    assert find_picture(keys[2]) == "data:2"


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


def test_suggestions_need_labels_and_scores_to_be_accepted():
    layer = Layer(SUGGESTIONS, "Suggestions", "kept", BOXES, labels=np.zeros(2))
    with pytest.raises(ValueError, match="must have values"):
        packed(layer, editable=True)
    with pytest.raises(ValueError, match="must have labels"):
        packed(layer._replace(labels=None), editable=True)
    assert packed(layer._replace(values=np.ones(2)), editable=True)["layers"][0]["labels"] == [0, 0]


def test_classes_have_a_colour_each_or_none():
    assert packed(classes=("a", "b"), class_colours=("#000000", "#ffffff"))["class_colours"] == ["#000000", "#ffffff"]
    with pytest.raises(ValueError, match="1 colours for 2 classes"):
        packed(classes=("a", "b"), class_colours=("#000000",))


def test_free_classes_come_with_colours_and_limits():
    free = packed(free_classes=True, class_suggestions=("cat",), draw_first=True, rejected=np.array([[1, 2, 3, 4]]))
    assert free["palette"] == list(CLASS_COLOURS)
    assert (free["max_classes"], free["max_name"], free["max_boxes"]) == (50, 40, 500)
    assert (free["class_suggestions"], free["draw_first"], free["rejected"]) == (["cat"], True, [[1, 2, 3, 4]])
    fixed = packed()
    assert (fixed["palette"], fixed["rejected"], fixed["draw_first"]) == ([], [], False)

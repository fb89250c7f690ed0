"""The ONNX file says what the network here says, run by onnxruntime."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from core.cli import main
from core.config import Config, ConfigError, format_value
from core.export.onnx import OUTPUTS, read_onnx, write_onnx
from core.export.onnx_model import SCORE_THRESHOLD, OnnxDetector, mark_survivors, resize_images
from core.export.readback import FULL, find_difference, make_picture, make_reference, write_compared
from core.io.atomic import OutputError
from core.retinanet.model import RetinaNet, build_model
from core.retinanet.predict import detect
from core.retinanet.preprocess import IMAGENET_MEAN, IMAGENET_STD, prepare
from core.scenes.render import CLASS_NAMES, render_scene
from core.weights.sources import adopt, build, load_weights

onnxruntime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")

# Another network than the built-in one in all that the graph depends on.
OTHER = Config.from_flat(
    {
        "model.depth": 18, "model.fpn_channels": 32, "model.num_convs": 0, "model.p6_source": "p5",
        "anchors.convention": "exact", "anchors.ratios": (0.5, 2.0), "anchors.scales": (1.0, 1.3),
        "inference.class_agnostic_nms": True, "inference.topk_candidates": 50, "inference.max_detections": 20,
        "inference.score_threshold": 0.6, "inference.nms_threshold": 0.4,
        "inference.image_size": 96, "inference.max_image_size": 200, "model.weights": "/home/me/mine.safetensors",
    }
)  # fmt: skip


class Case:
    """A network and what onnxruntime makes of its file."""

    def __init__(self, path: Path, model: RetinaNet, config: Config) -> None:
        self.path, self.model, self.config = path, model, config
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def agrees(self, pixels: torch.Tensor) -> int:
        """Compares with detections here on a batch of pictures of one size; returns how many there were.

        Places may differ by as much as float32 rounds them on pictures of a thousand pixels.
        """
        boxes, scores, labels = self.session.run(None, {"pixels": pixels.numpy()})
        expected = detect(self.model, list(pixels), self.config)
        for box, score, label, each in zip(boxes, scores, labels, expected, strict=True):
            count = len(each.scores)
            np.testing.assert_allclose(score[:count], each.scores, atol=1e-4)
            np.testing.assert_allclose(box[:count], each.boxes, atol=2e-5 * max(pixels.shape))
            np.testing.assert_array_equal(label[:count], each.labels)
            assert not score[count:].any() and not box[count:].any() and not label[count:].any()
        return sum(len(each.scores) for each in expected)


@pytest.fixture(scope="module")
def builtin(tmp_path_factory) -> Case:
    path = tmp_path_factory.mktemp("builtin") / "model.onnx"
    assert main.main(["export", "--weights", "builtin", "--out", str(path)]) == 0
    weights = load_weights("builtin")
    config = adopt(Config(), weights)
    return Case(path, build(config, weights), config)


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> Case:
    path = tmp_path_factory.mktemp("other") / "model.onnx"
    torch.manual_seed(0)
    model = build_model(OTHER.model, num_classes=3, anchors_per_location=4).eval()
    with torch.no_grad():
        model.head["classification_head"].cls_logits.weight.normal_(std=0.01)
        model.head["classification_head"].cls_logits.bias.zero_()  # scores on both sides of the threshold, none at 1
        model.head["regression_head"].bbox_reg.weight.normal_(std=0.01)
    write = partial(write_onnx, model=model, config=OTHER, class_names=("a", "b", "c"))
    assert write_compared(path, write, read_onnx, make_reference(model, OTHER, weak=False), FULL) > 3
    return Case(path, model, OTHER)


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))


def scenes(count: int, height: int, width: int) -> torch.Tensor:
    """Scenes cut to a size, in 0 … 1."""
    dials = Config.from_flat({"scenes.image_size": max(height, width)}).scenes
    return torch.stack([render_scene(dials, index).image[:, :height, :width] / 255 for index in range(count)])


# Smaller and larger than the network sees them, tall, wide, and one whose longer side decides.
@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 256, 256), (2, 97, 150), (1, 333, 150), (1, 480, 640), (1, 60, 400)])
def test_the_built_in_detector_finds_the_same_in_pictures_of_any_size(builtin, size):
    assert builtin.agrees(scenes(*size)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 3, 128, 128), (2, 3, 97, 150), (3, 3, 64, 33), (1, 3, 40, 300)])
def test_another_network_finds_the_same_in_batches_of_any_size(other, shape):
    assert other.agrees(noise(*shape)) > 0


@pytest.mark.parametrize("sides", [(96, 128), (97, 150), (33, 64), (40, 300), (300, 40), (7, 2)])
def test_pictures_are_resized_as_they_are_prepared(sides):
    inference, pixels = OTHER.inference, noise(1, 3, *sides)
    batch = prepare([pixels[0]], inference)
    here = resize_images(pixels, inference.image_size, inference.max_image_size)
    height, width = batch.sizes[0]
    mean, std = (torch.tensor(each)[:, None, None] for each in (IMAGENET_MEAN, IMAGENET_STD))
    torch.testing.assert_close((here - mean) / std, batch.pixels[..., :height, :width], atol=1e-5, rtol=0)


@pytest.mark.slow
def test_finds_nothing_where_nothing_is(other):
    grey = torch.tensor(IMAGENET_MEAN)[:, None, None].expand(3, 90, 96)  # 0 for the network
    assert other.agrees(torch.stack([grey, grey])) == 0


@pytest.mark.slow
def test_says_what_it_is(builtin):
    inputs, outputs = builtin.session.get_inputs(), builtin.session.get_outputs()
    assert [each.name for each in inputs] == ["pixels"]
    assert [each.name for each in outputs] == ["boxes", "scores", "labels"]
    metadata = builtin.session.get_modelmeta().custom_metadata_map
    assert Config.from_json(metadata["config"]) == builtin.config
    assert json.loads(metadata["class_names"]) == list(CLASS_NAMES)


@pytest.mark.slow
def test_it_is_read_back_at_any_threshold(other, tmp_path):
    """The file's own threshold, 0.9, is above every score of this network."""
    program = onnx.load(other.path)
    (own,) = (each for each in program.graph.initializer if each.name == SCORE_THRESHOLD)
    own.CopyFrom(onnx.numpy_helper.from_array(np.array(0.9, np.float32), SCORE_THRESHOLD))
    onnx.save(program, tmp_path / "a.onnx")
    picture, reference = make_picture(), make_reference(other.model, OTHER, weak=False)
    pixels = picture[None].numpy() / np.float32(255)
    assert not Case(tmp_path / "a.onnx", other.model, OTHER).session.run(["scores"], {"pixels": pixels})[0].any()
    found = read_onnx(tmp_path / "a.onnx", picture, reference.config)
    assert len(found.scores) > 3 and find_difference(reference, found, FULL) == ""
    anchors = make_reference(other.model, OTHER.replace({"anchors.size_p3": 20}), weak=False)
    assert find_difference(anchors, found, FULL)


@pytest.mark.slow
def test_the_file_reveals_no_path_and_a_damaged_one_is_one_sentence(other, tmp_path):
    metadata = other.session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["config"])["model"]["weights"] == "mine.safetensors" and "16 bits" in metadata["pixels"]
    (tmp_path / "a.onnx").write_bytes(b"\x08")
    with pytest.raises(OutputError, match="onnxruntime cannot run it"):
        read_onnx(tmp_path / "a.onnx", make_picture(), OTHER)
    assert OUTPUTS == ("boxes", "scores", "labels")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("inference.nms_kind", "soft"),
        ("inference.nms_kind", "wbf"),
        ("inference.tile_size", 256),
        ("inference.precision", "bf16"),
        ("inference.test_time_flip", True),
        ("inference.test_time_scales", (0.5, 1.0)),
    ],
)
def test_what_onnx_cannot_do_is_refused(setting, value, tmp_path):
    config = OTHER.replace({setting: value})
    with torch.device("meta"):
        model = build_model(config.model, num_classes=3, anchors_per_location=4)
    with pytest.raises(ConfigError, match=rf"{setting} = {format_value(value)} is not supported by ONNX"):
        write_onnx(tmp_path / "a.onnx", model, config, ("a", "b", "c"))
    assert list(tmp_path.iterdir()) == []


def test_the_survivors_of_nms_by_hand():
    """The second box overlaps the first by 0.8 in one class; the score of the third is nothing."""
    boxes = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]]])
    together, apart = torch.tensor([[[0.9, 0.8, 0.0]]]), torch.tensor([[[0.9, 0.0, 0.0], [0.0, 0.8, 0.0]]])
    assert mark_survivors(boxes, together, 0.5, 3).tolist() == [[1, 0, 0]]
    assert mark_survivors(boxes, apart, 0.5, 3).tolist() == [[1, 1, 0]]
    assert mark_survivors(boxes, together, 0.81, 3).tolist() == [[1, 1, 0]]
    assert mark_survivors(boxes, together, 0.81, 1).tolist() == [[1, 0, 0]]


def test_what_is_not_a_number_is_not_found():
    model = build_model(OTHER.model, num_classes=3, anchors_per_location=4).eval()
    with torch.no_grad():
        model.head["classification_head"].cls_logits.bias.fill_(torch.nan)
        boxes, scores, labels = OnnxDetector(model, OTHER)(noise(1, 3, 64, 64))
    assert not scores.any() and not boxes.any() and not labels.any()

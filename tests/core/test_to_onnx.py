"""What the module that goes to ONNX says."""

import pytest
import torch

from core.config import Config
from core.knobs import ConfigError
from core.model import build_model
from core.onnx_detector import OnnxDetector, survivors
from core.to_onnx import write_onnx

# Another network than the built-in one in all that the graph depends on.
OTHER = Config.from_flat(
    {
        "model.depth": 18, "model.fpn_channels": 32, "model.num_convs": 0, "model.p6_source": "p5",
        "anchors.convention": "exact", "anchors.ratios": (0.5, 2.0), "anchors.scales": (1.0, 1.3),
        "inference.class_agnostic_nms": True, "inference.topk_candidates": 50, "inference.max_detections": 20,
        "inference.score_threshold": 0.3, "inference.nms_threshold": 0.4,
    }
)  # fmt: skip


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))


def test_soft_nms_is_refused(tmp_path):
    config = OTHER.replace({"inference.nms_kind": "soft"})
    model = build_model(config.model, num_classes=3, anchors_per_place=4)
    with pytest.raises(ConfigError, match=r"inference.nms_kind = soft cannot be said in ONNX"):
        write_onnx(tmp_path / "a.onnx", model, config, ("a", "b", "c"))
    assert list(tmp_path.iterdir()) == []


def test_the_survivors_of_nms_by_hand():
    """The second box overlaps the first by 0.8 in one class; the score of the third is nothing."""
    boxes = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]]])
    together, apart = torch.tensor([[[0.9, 0.8, 0.0]]]), torch.tensor([[[0.9, 0.0, 0.0], [0.0, 0.8, 0.0]]])
    assert survivors(boxes, together, 0.5, 3).tolist() == [[1, 0, 0]]
    assert survivors(boxes, apart, 0.5, 3).tolist() == [[1, 1, 0]]
    assert survivors(boxes, together, 0.81, 3).tolist() == [[1, 1, 0]]
    assert survivors(boxes, together, 0.81, 1).tolist() == [[1, 0, 0]]


def test_what_is_not_a_number_is_not_found():
    model = build_model(OTHER.model, num_classes=3, anchors_per_place=4).eval()
    with torch.no_grad():
        model.head["classification_head"].cls_logits.bias.fill_(torch.nan)
        boxes, scores, labels = OnnxDetector(model, OTHER)(noise(1, 3, 64, 64))
    assert not scores.any() and not boxes.any() and not labels.any()

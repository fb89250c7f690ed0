"""A detector as an ONNX file that any ONNX runtime runs: pixels in, detections out."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from core.config import Config, ConfigError
from core.export.onnx_model import OnnxDetector
from core.io.atomic import write_atomically
from core.retinanet.model import RetinaNet

OUTPUTS = ("boxes", "scores", "labels")
SHAPE = (2, 3, 96, 160)  # of the pixels it is traced with; all of them differ, so that none is taken for another


def write_onnx(path: Path, model: RetinaNet, config: Config, class_names: Sequence[str]) -> None:
    """Writes a detector as ONNX: `pixels` [B, 3, H, W] → `boxes` [B, D, 4], `scores` [B, D], `labels` [B, D].

    Number and size of the pictures are free. Pixels are RGB in 0 … 1, boxes xyxy pixels of the picture given; the
    best come first, and rows whose score is 0 are empty. The graph resizes, normalises and pads as
    `core.retinanet.preprocess.prepare` does; all pictures of a batch have one size.

    Args:
        path: Of the file.
        model: The network, on any device.
        config: Its settings, from `core.weights.sources.adopt`.
        class_names: One a class, K.

    Raises:
        ConfigError: NMS is soft, for which ONNX has no operator.
    """
    if config.inference.nms_kind != "hard":
        raise ConfigError("inference.nms_kind = soft cannot be said in ONNX: export with --inference.nms_kind hard.")
    detector = OnnxDetector(model, config).eval().cpu()
    program = _traced(detector)
    program.model.metadata_props.update(config=config.to_json(), class_names=json.dumps(list(class_names)))
    with write_atomically(path) as beside:
        program.save(beside)


def _traced(detector: OnnxDetector) -> torch.onnx.ONNXProgram:
    from core.export import onnx_ops  # a second, for those who export

    ours, free = torch.ops.retinanet_playground, torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch about itself
        return torch.onnx.export(
            detector,
            (torch.rand(SHAPE),),
            input_names=["pixels"],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: free, 2: free, 3: free},),
            custom_translation_table={
                ours.survivors.default: onnx_ops.survivors,
                ours.resized.default: onnx_ops.resized,
                ours.padded.default: onnx_ops.padded,
            },
            dynamo=True,
            verbose=False,
        )

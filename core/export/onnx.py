"""Exports a detector as an ONNX file for any ONNX runtime: pixels in, detections out."""

import json
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.config import Config, ConfigError, format_value
from core.export.onnx_model import SCORE_THRESHOLD, OnnxDetector
from core.io.atomic import OutputError, write_atomically
from core.retinanet.model import RetinaNet
from core.structures import Detections

OUTPUTS = ("boxes", "scores", "labels")
# What `core.data.images.open_image` does before; stored in the file.
PIXELS = "RGB in 0 … 1, float32; upright by EXIF, transparency on white, 16 bits divided by 65535"
PACKAGES = ("onnx", "onnxscript", "onnxruntime")  # of the extra `export`
# The settings of which the graph knows one value only.
SUPPORTED = {
    "inference.precision": "fp32",
    "inference.test_time_flip": False,
    "inference.test_time_scales": (1.0,),
    "inference.nms_kind": "hard",
}
SHAPE = (2, 3, 96, 160)  # of the traced pixels; all differ, so that the exporter does not equate two dimensions


def require_packages() -> None:
    """Checks that the packages that the export needs are installed.

    Raises:
        OutputError: One of them is missing.
    """
    for name in PACKAGES:
        if find_spec(name) is None:
            raise OutputError(f"ONNX needs the package {name}: run pip install {' '.join(PACKAGES)}.")


def write_onnx(path: Path, model: RetinaNet, config: Config, class_names: Sequence[str]) -> None:
    """Writes a detector as ONNX: `pixels` [B, 3, H, W] → `boxes` [B, D, 4], `scores` [B, D], `labels` [B, D].

    The number and the size of the images are dynamic; all images of a batch have the same size. Pixels are RGB in
    0 … 1, boxes are xyxy in pixels of the input; the best come first, and rows with a score of 0 are empty. The graph
    resizes, normalises and pads as `core.retinanet.preprocess.prepare` does.

    Args:
        path: Path of the file.
        model: The network, on any device.
        config: Its settings, from `core.weights.sources.adopt`.
        class_names: The K class names, stored in the file's metadata.

    Raises:
        ConfigError: NMS is not hard, for which alone ONNX has an operator, or the network computes in bfloat16, or
            pictures are seen in tiles or several views, as the graph cannot.
    """
    if config.inference.tile_size:
        raise ConfigError(
            f"inference.tile_size = {config.inference.tile_size} is not supported by ONNX, whose graph sees pictures "
            "whole: set it to 0 and cut pictures into tiles before, or choose another format."
        )
    values = config.to_flat()
    for setting, supported in SUPPORTED.items():
        if values[setting] != supported:
            raise ConfigError(
                f"{setting} = {format_value(values[setting])} is not supported by ONNX: set it to "
                f"{format_value(supported)}, or choose another format."
            )
    detector = OnnxDetector(model, config).eval().cpu()
    program = _export(detector)
    origin = Path(config.model.weights).name  # the file may be shared, so it must not reveal local paths
    program.model.metadata_props.update(
        config=config.replace({"model.weights": origin}).to_json(),
        class_names=json.dumps(list(class_names)),
        pixels=PIXELS,
    )
    with write_atomically(path) as partial:
        program.save(partial)


def read_onnx(path: Path, picture: Tensor, config: Config) -> Detections:
    """Detects with a file of `write_onnx` in onnxruntime, at the score threshold of the settings.

    Raises:
        OutputError: The file cannot be run.
    """
    import onnx
    import onnxruntime

    threshold = np.array(config.inference.score_threshold, np.float32)
    try:
        program = onnx.load(path)
        (own,) = (each for each in program.graph.initializer if each.name == SCORE_THRESHOLD)
        own.CopyFrom(onnx.numpy_helper.from_array(threshold, SCORE_THRESHOLD))
        session = onnxruntime.InferenceSession(program.SerializeToString(), providers=["CPUExecutionProvider"])
        outputs = session.run(list(OUTPUTS), {"pixels": picture[None].numpy() / np.float32(255)})
    except Exception as error:  # both packages raise their own types, each derived from Exception alone
        raise OutputError(f"onnxruntime cannot run it ({error}).") from None
    boxes, scores, labels = (torch.from_numpy(output[0]) for output in outputs)
    found = scores > 0
    return Detections(boxes[found], scores[found], labels[found])


def _export(detector: OnnxDetector) -> torch.onnx.ONNXProgram:
    from core.export import onnx_ops  # takes a second to import

    operators, dynamic = torch.ops.retinanet_playground, torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own deprecations
        program = torch.onnx.export(
            detector,
            (torch.rand(SHAPE),),
            input_names=["pixels"],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic},),
            custom_translation_table={
                operators.mark_survivors.default: onnx_ops.mark_survivors,
                operators.resize_images.default: onnx_ops.resize_images,
                operators.pad_images.default: onnx_ops.pad_images,
            },
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    assert program is not None  # with dynamo=True the exporter always returns a program
    _optimise(program)
    return program


def _optimise(program: torch.onnx.ONNXProgram) -> None:
    """Simplifies the graph as the exporter would, in a third of the time.

    Once constants are folded, two in five nodes have no reader; the exporter would match them against all its rules.
    """
    from onnxscript import optimizer

    optimizer.fold_constants(program.model)
    optimizer.remove_unused_nodes(program.model)
    program.optimize()

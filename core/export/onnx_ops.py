"""The ONNX translations of the custom operators in `core.export.onnx_model`.

The import takes a second, so only `core.export.onnx` imports this module, when it exports.
"""

from onnx import TensorProto
from onnxscript import opset18
from onnxscript.ir import Value
from onnxscript.values import Opset

from core.retinanet.preprocess import PAD_TO

op: Opset = opset18  # the base class: opset18's signatures describe eager tensors, but a trace passes graph values


def mark_survivors(boxes: Value, scores: Value, iou_threshold: float, max_boxes: int) -> Value:
    """Translates `core.export.onnx_model.mark_survivors`."""
    thresholds = (op.Constant(value_floats=[value]) for value in (iou_threshold, 0.0))
    chosen = op.NonMaxSuppression(boxes, scores, op.Constant(value_ints=[max_boxes]), *thresholds)  # [S, 3]
    indices = op.Gather(chosen, op.Constant(value_ints=[0, 2]), axis=1)  # [S, 2]: image, candidate
    zeros = op.Expand(op.Constant(value_float=0.0), op.Shape(boxes, start=0, end=2))  # [B, M]
    ones = op.Expand(op.Constant(value_float=1.0), op.Shape(indices, start=0, end=1))  # [S]
    return op.ScatterND(zeros, indices, ones)


def resize_images(pixels: Value, shorter: int, longest: int) -> Value:
    """Translates `core.export.onnx_model.resize_images`; computes in float64, which rounds the sides as Python does."""
    sides = op.Cast(op.Shape(pixels, start=2, end=4), to=TensorProto.DOUBLE)  # [2]
    limits = (op.Cast(op.Constant(value_int=side), to=TensorProto.DOUBLE) for side in (shorter, longest))
    extremes = (op.ReduceMin(sides, keepdims=0), op.ReduceMax(sides, keepdims=0))
    scale = op.Min(*(op.Div(limit, extreme) for limit, extreme in zip(limits, extremes, strict=True)))
    size = op.Cast(op.Floor(op.Mul(sides, scale)), to=TensorProto.INT64)
    shape = op.Concat(op.Shape(pixels, start=0, end=2), size, axis=0)
    return op.Resize(pixels, None, None, shape, mode="linear", coordinate_transformation_mode="half_pixel")


def pad_images(pixels: Value) -> Value:
    """Translates `core.export.onnx_model.pad_images`."""
    sides, unit = op.Shape(pixels, start=2, end=4), op.Constant(value_int=PAD_TO)
    missing = op.Mod(op.Neg(sides), unit)  # [2], with the sign of the unit, as in Python
    pads = op.Concat(op.Constant(value_ints=[0, 0]), missing, axis=0)  # before, after
    return op.Pad(pixels, pads, None, op.Constant(value_ints=[2, 3]))

"""What the operators of `core.export.onnx_model` are in an ONNX graph.

This takes a second to import and is needed by `core.export.onnx` alone.
"""

from onnx import TensorProto
from onnxscript import opset18 as op

from core.retinanet.preprocess import PAD_TO


def survivors(boxes, scores, iou_threshold: float, most: int):
    """Says `core.export.onnx_model.survivors` in ONNX."""
    thresholds = (op.Constant(value_floats=[value]) for value in (iou_threshold, 0.0))
    chosen = op.NonMaxSuppression(boxes, scores, op.Constant(value_ints=[most]), *thresholds)  # [S, 3]
    places = op.Gather(chosen, op.Constant(value_ints=[0, 2]), axis=1)  # [S, 2]: picture, candidate
    nothing = op.Expand(op.Constant(value_float=0.0), op.Shape(boxes, start=0, end=2))  # [B, M]
    ones = op.Expand(op.Constant(value_float=1.0), op.Shape(places, start=0, end=1))  # [S]
    return op.ScatterND(nothing, places, ones)


def resized(pixels, shorter: int, longest: int):
    """Says `core.export.onnx_model.resized` in ONNX; 64 bits, as Python has, decide how the sides are rounded."""
    sides = op.Cast(op.Shape(pixels, start=2, end=4), to=TensorProto.DOUBLE)  # [2]
    allowed = (op.Cast(op.Constant(value_int=side), to=TensorProto.DOUBLE) for side in (shorter, longest))
    extremes = (op.ReduceMin(sides, keepdims=0), op.ReduceMax(sides, keepdims=0))
    scale = op.Min(*(op.Div(side, extreme) for side, extreme in zip(allowed, extremes, strict=True)))
    size = op.Cast(op.Floor(op.Mul(sides, scale)), to=TensorProto.INT64)
    shape = op.Concat(op.Shape(pixels, start=0, end=2), size, axis=0)
    return op.Resize(pixels, None, None, shape, mode="linear", coordinate_transformation_mode="half_pixel")


def padded(pixels):
    """Says `core.export.onnx_model.padded` in ONNX."""
    sides, unit = op.Shape(pixels, start=2, end=4), op.Constant(value_int=PAD_TO)
    missing = op.Mod(op.Neg(sides), unit)  # [2], of the sign of the unit, as in Python
    pads = op.Concat(op.Constant(value_ints=[0, 0]), missing, axis=0)  # before, after
    return op.Pad(pixels, pads, None, op.Constant(value_ints=[2, 3]))

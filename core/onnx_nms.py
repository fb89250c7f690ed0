"""NMS as a node of an ONNX graph; takes a second to import and is needed by `core.to_onnx` alone."""

from onnxscript import opset18 as op


def survivors(boxes, scores, iou_threshold: float, most: int):
    """Says `core.onnx_detector.survivors` in ONNX."""
    thresholds = (op.Constant(value_floats=[value]) for value in (iou_threshold, 0.0))
    chosen = op.NonMaxSuppression(boxes, scores, op.Constant(value_ints=[most]), *thresholds)  # [S, 3]
    places = op.Gather(chosen, op.Constant(value_ints=[0, 2]), axis=1)  # [S, 2]: picture, candidate
    nothing = op.Expand(op.Constant(value_float=0.0), op.Shape(boxes, start=0, end=2))  # [B, M]
    ones = op.Expand(op.Constant(value_float=1.0), op.Shape(places, start=0, end=1))  # [S]
    return op.ScatterND(nothing, places, ones)

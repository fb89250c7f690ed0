"""Evaluation of detections: the COCO metrics, and a report that explains them.

Reading order: `dataset_predictions` (runs a detector over a data set) with `class_names` (matches classes by name),
`damage` (leaves damaged pictures out) and `coco_file` (writes the detections of many pictures), `coco_metrics` (the
twelve COCO metrics), `detection_matching` (COCO's matching, kept box by box), then what the matching yields:
`precision_recall`, `confusion`, `error_types`, `calibration`, and `label_errors` (doubts the ground truth); `slices`
(the metrics of some of the objects, and along a dial of the scenes); `report` puts them together, and `counting` makes
average precision one detection at a time.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

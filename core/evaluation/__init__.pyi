from .coco_metrics import Metrics as Metrics, evaluate as evaluate
from .dataset_predictions import ImageResult as ImageResult
from .report import Report as Report

from .coco_metrics import Metrics as Metrics, evaluate as evaluate
from .dataset_predictions import ImageResult as ImageResult, predict_dataset as predict_dataset
from .report import Report as Report, build_report as build_report

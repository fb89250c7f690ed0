from .config import Config as Config, ConfigError as ConfigError
from .data.images import open_image as open_image
from .data.sources import DataSet as DataSet, open_data as open_data
from .errors import UserError as UserError
from .evaluation.coco_metrics import Metrics as Metrics, evaluate as evaluate
from .retinanet.model import RetinaNet as RetinaNet
from .retinanet.predict import detect as detect, predict as predict
from .runs.folder import RunFolder as RunFolder
from .runs.train import run_training as run_training
from .scenes.render import render_scene as render_scene
from .structures import Detections as Detections, GroundTruth as GroundTruth, Sample as Sample
from .training.trainer import Trainer as Trainer
from .weights.sources import (
    Weights as Weights,
    adopt as adopt,
    build as build,
    load_weights as load_weights,
    save_weights as save_weights,
)

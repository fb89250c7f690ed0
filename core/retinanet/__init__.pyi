from .anchors import AnchorGrid as AnchorGrid, make_anchors as make_anchors
from .assigners import Match as Match, match_anchors as match_anchors
from .boxes import decode as decode, encode as encode, pairwise_iou as pairwise_iou
from .fuse import fuse_batch_norms as fuse_batch_norms
from .losses import (
    AnchorLosses as AnchorLosses,
    Losses as Losses,
    anchor_losses as anchor_losses,
    focal_loss as focal_loss,
    total_loss as total_loss,
)
from .model import Outputs as Outputs, RetinaNet as RetinaNet, build_model as build_model
from .postprocess import (
    Candidates as Candidates,
    apply_nms as apply_nms,
    select_candidates as select_candidates,
    select_detections as select_detections,
)
from .predict import Prediction as Prediction, detect as detect
from .preprocess import Batch as Batch, prepare as prepare

from .box import IOU_LOSSES as IOU_LOSSES, box_loss as box_loss, predicted_ious as predicted_ious
from .class_weights import weigh_classes as weigh_classes
from .classification import (
    classification_loss as classification_loss,
    focal_loss as focal_loss,
    poly1_focal_loss as poly1_focal_loss,
    quality_focal_loss as quality_focal_loss,
    varifocal_loss as varifocal_loss,
)
from .density import (
    GradientAverage as GradientAverage,
    GradientBins as GradientBins,
    count_bins as count_bins,
    find_bins as find_bins,
    harmonise as harmonise,
)
from .hardest import select_hardest as select_hardest
from .image import AnchorLosses as AnchorLosses, anchor_losses as anchor_losses, batch_losses as batch_losses
from .total import ForegroundAverage as ForegroundAverage, Losses as Losses, total_loss as total_loss

"""The paper's results (Lin et al. 2017): AP in per cent on COCO, full schedule, 600 px unless said otherwise.

The model is RetinaNet with ResNet-50 (table 1); in the comparisons with hard example mining, table 1d, and with Faster
R-CNN it is ResNet-101.
"""

from typing import NamedTuple

PRIOR = 30.2  # cross-entropy with π = 0.01; without the prior training diverged
ALPHA = {0.10: 0.0, 0.25: 10.8, 0.50: 30.2, 0.75: 31.1, 0.90: 30.8, 0.99: 28.7, 0.999: 25.1}  # balanced cross-entropy


class Focusing(NamedTuple):
    """A row of table 1b: the best α for a γ, and the AP of both."""

    alpha: float
    ap: float


GAMMA = {
    0: Focusing(0.75, 31.1), 0.1: Focusing(0.75, 31.4), 0.2: Focusing(0.75, 31.9), 0.5: Focusing(0.50, 32.9),
    1: Focusing(0.25, 33.7), 2: Focusing(0.25, 34.0), 5: Focusing(0.25, 32.2),
}  # fmt: skip
ANCHORS = {(1, 1): 30.3, (2, 1): 31.9, (1, 3): 32.4, (2, 3): 34.2, (3, 3): 34.0}  # by scales and aspect ratios
OHEM, BESIDE_OHEM = 32.8, 36.0  # OHEM at its best (128 anchors, NMS 0.5), and focal loss with the same network


class Detector(NamedTuple):
    """AP of a detector with ResNet-101 on COCO test-dev, by the size of objects too, and milliseconds per image."""

    name: str
    ap: float
    ap50: float
    ap_small: float
    ap_medium: float
    ap_large: float
    milliseconds: int


STAGES = (  # tables 1e and 2, times from figure 2; 800 px
    Detector("RetinaNet", 37.8, 57.5, 20.2, 41.1, 49.2, 198),
    Detector("Faster R-CNN with FPN", 36.2, 59.1, 18.2, 39.0, 48.2, 172),
)

"""L1, L2 and smooth L1 over the error of a delta, and the slope of smooth L1, with the four errors marked."""

import numpy as np
import torch

from core.analysis.box_coding import DELTAS, l1, l2, smooth_l1
from core.config import Loss
from playground.components.figures import PALETTE, Figure, lines
from playground.steps.regression.example import Example

NARROW, WIDE = 1.0, 6.0  # range of the errors, the second if one of them is beyond the first
POINTS = 241
TITLE = "Loss of a delta by its error"


def loss_figure(example: Example, loss: Loss) -> Figure:
    """Returns the figure."""
    errors = example.predicted - example.target
    most = NARROW if errors.abs().max().item() <= NARROW else WIDE
    at = torch.from_numpy(np.linspace(-most, most, POINTS, dtype=np.float32))
    beta = loss.smooth_l1_beta
    smooth = smooth_l1(at, beta)
    xs = [round(x, 4) for x in at.tolist()]
    shown = errors.clamp(-most, most)  # beyond the axis, at its end
    made = lines(
        [
            ("L1", PALETTE[1], xs, l1(at).value.tolist()),
            ("L2 (half the square)", PALETTE[3], xs, l2(at).value.tolist()),
            (f"smooth L1, β = {beta:g}", PALETTE[0], xs, smooth.value.tolist()),
            ("slope of smooth L1", PALETTE[0], xs, smooth.slope.tolist()),
            ("the four deltas", PALETTE[5], shown.tolist(), smooth_l1(shown, beta).value.tolist()),
        ],
        title=TITLE,
        x="error: predicted − target",
        y="loss",
    )
    made["data"][2]["line"]["width"] = 3
    made["data"][3]["line"] |= {"dash": "dot", "width": 1}
    marks = {"mode": "markers+text", "text": list(DELTAS), "textposition": "top center"}
    made["data"][4] |= {**marks, "marker": {"color": PALETTE[5], "size": 10}}
    made["layout"]["yaxis"]["range"] = [-1.15, 2.2 if most == NARROW else WIDE]
    made["layout"]["xaxis"]["range"] = [-1.05 * most, 1.05 * most]
    return made

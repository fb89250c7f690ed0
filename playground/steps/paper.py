"""The paper's own measurements, to be read beside what is measured here in miniature."""

from core import paper
from playground import readout

ABOUT = (
    "RetinaNet with ResNet-50 on COCO, pictures of 600 px, full training; AP in per cent (OHEM: ResNet-101). What is "
    "measured here are short runs on small rendered scenes: the order of things can be compared, the numbers cannot."
)


def tables() -> str:
    """Returns table 1, opened on demand."""
    alpha = [(f"{alpha:g}", per_cent(ap)) for alpha, ap in paper.ALPHA.items()]
    gamma = [(f"{gamma:g}", f"{each.alpha:g}", per_cent(each.ap)) for gamma, each in paper.GAMMA.items()]
    anchors = [(str(scales), str(ratios), per_cent(ap)) for (scales, ratios), ap in paper.ANCHORS.items()]
    ohem = [("OHEM, the best of its settings", per_cent(paper.OHEM)), ("focal loss", per_cent(paper.BESIDE_OHEM))]
    parts = (
        readout.Table("α-balanced cross-entropy (γ = 0)", ("α", "AP"), tuple(alpha)),
        readout.Table("Focal loss, the best α for each γ", ("γ", "α", "AP"), tuple(gamma)),
        readout.Table("Anchors a place", ("scales", "ratios", "AP"), tuple(anchors)),
        readout.Table("Hard example mining", ("loss", "AP"), tuple(ohem)),
    )
    note = f"Without the prior π = 0.01, cross-entropy diverged; with it, it reached {per_cent(paper.PRIOR)}."
    body = readout.paragraph(ABOUT) + readout.paragraph(note) + "".join(map(readout.table, parts))
    return readout.details("What the paper measured", body)


def per_cent(ap: float | None) -> str:
    """Returns a figure of the paper as it stands there, "–" where there is none."""
    return readout.number(ap, ".1f")

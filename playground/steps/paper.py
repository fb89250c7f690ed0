"""The paper's own measurements (Lin et al. 2017, table 1), to be read beside what is measured here in miniature."""

from playground import readout

ABOUT = (
    "RetinaNet with ResNet-50 on COCO, pictures of 600 px, full training; AP in per cent (OHEM: ResNet-101). What is "
    "measured here are short runs on small rendered scenes: the order of things can be compared, the numbers cannot."
)
ALPHA = (
    (".10", "0.0"), (".25", "10.8"), (".50", "30.2"), (".75", "31.1"), (".90", "30.8"), (".99", "28.7"),
    (".999", "25.1"),
)  # fmt: skip
GAMMA = (
    ("0", ".75", "31.1"), ("0.1", ".75", "31.4"), ("0.2", ".75", "31.9"), ("0.5", ".50", "32.9"),
    ("1.0", ".25", "33.7"), ("2.0", ".25", "34.0"), ("5.0", ".25", "32.2"),
)  # fmt: skip
ANCHORS = (("1", "1", "30.3"), ("2", "1", "31.9"), ("1", "3", "32.4"), ("2", "3", "34.2"), ("3", "3", "34.0"))
OHEM = (("OHEM, the best of its settings", "32.8"), ("focal loss", "36.0"))


def tables() -> str:
    """Returns table 1, opened on demand."""
    parts = (
        readout.Table("α-balanced cross-entropy (γ = 0)", ("α", "AP"), ALPHA),
        readout.Table("Focal loss, the best α for each γ", ("γ", "α", "AP"), GAMMA),
        readout.Table("Anchors a place", ("scales", "ratios", "AP"), ANCHORS),
        readout.Table("Hard example mining", ("loss", "AP"), OHEM),
    )
    note = "Without the prior π = 0.01, cross-entropy diverged; with it, it reached 30.2."
    body = readout.paragraph(ABOUT) + readout.paragraph(note) + "".join(map(readout.table, parts))
    return readout.details("What the paper measured", body)

"""How the paper's own measurements are told beside those made here in miniature."""

from playground.components import html

ABOUT = (
    "RetinaNet with ResNet-50 on COCO, pictures of 600 px, full training; AP in per cent (OHEM: ResNet-101). What is "
    "measured here are short runs on small rendered scenes: the order of things can be compared, the numbers cannot."
)


def per_cent(ap: float | None) -> str:
    """Returns a figure of the paper as it stands there, "–" where there is none."""
    return html.number(ap, ".1f")

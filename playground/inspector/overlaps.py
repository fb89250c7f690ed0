"""Words for what the kinds of NMS do with boxes that overlap."""

from typing import NamedTuple

from playground.pipeline.pipeline import Pipeline


class Words(NamedTuple):
    """The words of a kind of NMS.

    Attributes:
        lost: What becomes of a box that is lost, as in "suppressed".
        to: The same before the box that it is lost to, as in "suppressed by".
        gains: What a box gains or removes, as in "boxes it suppressed".
        measure: What is compared with the NMS threshold, or decides how much a score is lowered.
    """

    lost: str
    to: str
    gains: str
    measure: str


SUPPRESSED = Words("suppressed", "suppressed by", "boxes it suppressed", "IoU")
WORDS = {
    "hard": SUPPRESSED,
    "soft": SUPPRESSED,
    "diou": SUPPRESSED._replace(measure="IoU − ρ²/c²"),
    "wbf": Words("fused", "fused with", "boxes fused with it", "IoU"),
}


def words_of(pipeline: Pipeline) -> Words:
    """Returns the words of the chosen kind of NMS."""
    return WORDS[pipeline.config.inference.nms_kind]


def is_fusing(pipeline: Pipeline) -> bool:
    """Returns True if boxes that overlap are fused, so that a detection has another box than its candidate."""
    return pipeline.config.inference.nms_kind == "wbf"

"""What a framework does differently and no hyperparameter expresses."""

from typing import Literal, NamedTuple


class Rules(NamedTuple):
    """How a framework proceeds; the defaults are this library's.

    Attributes:
        by_size: Whether the anchors of a location are ordered by size and then ratio, and not by ratio and then size.
        relu_before_p7: Whether P7 is computed from the rectified P6.
        bounds_shrinking: Whether log sizes are bounded from below as well, so that a box shrinks 62.5 times at most.
        clipping: When boxes are clipped to the picture: before NMS, before NMS and without those that are empty then,
            or after NMS, again without these.
        forcing: Which anchors are forced: those with an object's highest IoU if it is above 0, for the object that they
            overlap most themselves ("touching"); the same if it is 0, too, so that an object that no anchor touches
            forces all others ("any"); or those of "any" for that very object, the last one if there are several
            ("object").
    """

    by_size: bool = False
    relu_before_p7: bool = True
    bounds_shrinking: bool = False
    clipping: Literal["before", "before, without empty", "after, without empty"] = "before"
    forcing: Literal["touching", "any", "object"] = "touching"


HERE = Rules()

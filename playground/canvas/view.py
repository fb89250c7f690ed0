"""A picture with its overlays: layers of boxes and a heat map.

The colours are Okabe and Ito's, which colour-blind people can tell apart (https://jfly.uni-koeln.de/color).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from torch import Tensor

ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY, WHITE, BLACK = "#999999", "#FFFFFF", "#000000"
LEVELS = (SKY, ORANGE, GREEN, PURPLE, VERMILLION)
CLASSES = (ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE, GREY, WHITE, BLACK)

COLOURS = MappingProxyType(
    {
        "truth": YELLOW,
        "foreground": GREEN,
        "ignored": ORANGE,
        "background": BLUE,
        "before": PURPLE,
        "kept": SKY,
        "suppressed": VERMILLION,
        "beyond_cap": ORANGE,
        "cut": GREEN,
        "tile": GREY,
        **{f"level{index}": colour for index, colour in enumerate(LEVELS)},
        **{f"class{index}": colour for index, colour in enumerate(CLASSES)},
    }
)

TRUTH = "truth"  # key of the layer that can be edited
SUGGESTIONS = "suggestions"  # key of the layer whose boxes can be accepted into it or rejected


class Layer(NamedTuple):
    """Boxes that are drawn in the same style. Arrays are NumPy arrays or CPU tensors; N may be 0.

    Attributes:
        key: Identifies the layer across updates: a layer that the visitor has switched on or off stays so.
        label: Name in the legend.
        colour: A role, one of the keys of `COLOURS`.
        boxes: float32 [N, 4], xyxy in the coordinates of the view; may extend beyond the picture.
        dashed: True for a dashed outline.
        width: Line width in screen pixels.
        values: float32 [N], 0 … 1, drawn as opacity and shown on hover, or None.
        captions: N texts for tags and tooltips, or ().
        links: float32 [N, 4], one line x1, y1 → x2, y2 per box, or None; a row of NaN draws no line. May be a function
            that computes them, which is only called if they are sent.
        labels: int [N], classes; required on the layers `TRUTH` and `SUGGESTIONS` if they can be edited.
        visible: True if the layer is initially switched on.
        carries: Not "" if its one box can be dragged: what precedes the box's corners in the dial `box`.
    """

    key: str
    label: str
    colour: str
    boxes: np.ndarray | Tensor
    dashed: bool = False
    width: float = 1.5
    values: np.ndarray | Tensor | None = None
    captions: tuple[str, ...] = ()
    links: np.ndarray | Tensor | Callable[[], Tensor] | None = None
    labels: np.ndarray | Tensor | None = None
    visible: bool = True
    carries: str = ""


class Heat(NamedTuple):
    """A heat map over the picture in the colour map viridis, without interpolation.

    Attributes:
        key: As in `Layer`.
        label: Name in the legend.
        values: float32 [h, w], 0 … 1; NaN counts as 0.
        extent: x1, y1, x2, y2 of the area that the map covers, in the coordinates of the view.
        visible: True if the map is initially switched on.
        scale: The quantity that a value of 1 represents.
    """

    key: str
    label: str
    values: np.ndarray | Tensor
    extent: tuple[float, float, float, float]
    visible: bool = True
    scale: float = 1.0


class View(NamedTuple):
    """The content of the canvas.

    Attributes:
        picture: A data URL (`picture_url`), or None for an empty canvas.
        width: Width of the coordinate system of all boxes.
        height: Height of that coordinate system.
        layers: Bottom to top.
        heat: Heat map between the picture and the boxes.
        editable: True if the layer `TRUTH` can be edited, and suggestions accepted or rejected: boxes of the layer
            `SUGGESTIONS`, whose `values` are their scores and whose labels index `classes`.
        classes: Names of the classes that an edited box can have.
        alt: Alternative text of the picture.
        class_colours: The colour "#rrggbb" of each class, in which its boxes are drawn; or () for the layer's colour.
        free_classes: True if the visitor may add, rename, merge and recolour classes.
        class_suggestions: Names that are offered for a new class.
        draw_first: True if a drag draws a box at once, without choosing to draw first.
        rejected: float32 [R, 4], suggestions rejected on this picture before; an edit sends them again with new ones.
        pixels_key: Names the picture; events about it send it back, since another one may be on show when it arrives.
    """

    picture: str | None = None
    width: int = 0
    height: int = 0
    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None
    editable: bool = False
    classes: tuple[str, ...] = ()
    alt: str = ""
    class_colours: tuple[str, ...] = ()
    free_classes: bool = False
    class_suggestions: tuple[str, ...] = ()
    draw_first: bool = False
    rejected: np.ndarray | Tensor | None = None
    pixels_key: str = ""


def hidden_keys(view: View, switched: Mapping[str, bool]) -> frozenset[str]:
    """Returns the keys of the layers and the heat map that are switched off and cannot be edited.

    Args:
        view: Defines which of them are initially switched on.
        switched: The visitor's changes since: key → switched on.
    """
    items: list[Layer | Heat] = [*view.layers, *([view.heat] if view.heat else [])]
    hidden = frozenset(item.key for item in items if not switched.get(item.key, item.visible))
    return hidden - {TRUTH} if view.editable else hidden

"""What the canvas shows over a picture: layers of boxes, a map, and which of them are seen.

Colours are Okabe and Ito's, which colour-blind people tell apart (https://jfly.uni-koeln.de/color).
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
        **{f"level{index}": colour for index, colour in enumerate(LEVELS)},
        **{f"class{index}": colour for index, colour in enumerate(CLASSES)},
    }
)

TRUTH = "truth"  # key of the layer the user may edit


class Layer(NamedTuple):
    """Boxes drawn alike. Arrays may be NumPy's or CPU tensors; N = 0 is an empty layer.

    Attributes:
        key: Names the layer across updates; a toggle the user has pressed keeps its state by this key.
        label: Shown in the legend.
        colour: A role, one of `COLOURS`.
        boxes: float32 [N, 4], xyxy in the picture's coordinates; may reach beyond the picture.
        dashed: Dashed outline.
        width: Of the line, in screen pixels.
        values: float32 [N], 0 … 1, drawn as opacity and shown on hover, or None.
        captions: N texts for the tags and the tooltip, or ().
        links: float32 [N, 4], a line x1, y1 → x2, y2 a box, or None. A row of NaN draws none. Where they take long to
            find, a function that does: it is called only if they are sent.
        labels: int [N], classes; needed on the layer `TRUTH` when it can be edited.
        visible: Whether the layer starts switched on.
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


class Heat(NamedTuple):
    """A map over the picture, each cell one flat colour of viridis.

    Attributes:
        key: As a layer's.
        label: Shown in the legend.
        values: float32 [h, w], 0 … 1; NaN counts as 0.
        extent: x1, y1, x2, y2 the map is stretched over, in the picture's coordinates.
        visible: Whether it starts switched on.
        scale: What a value of 1 stands for.
    """

    key: str
    label: str
    values: np.ndarray | Tensor
    extent: tuple[float, float, float, float]
    visible: bool = True
    scale: float = 1.0


class View(NamedTuple):
    """All that the component shows.

    Attributes:
        picture: A data URL (`picture_url`), or None for the empty state.
        width: Of the coordinate system of the boxes.
        height: Of the coordinate system of the boxes.
        layers: Bottom to top.
        heat: A map between picture and boxes.
        editable: Whether the layer `TRUTH` may be edited.
        classes: Names of the classes an edited box may have.
        alt: What the picture shows, for those who do not see it.
    """

    picture: str | None = None
    width: int = 0
    height: int = 0
    layers: tuple[Layer, ...] = ()
    heat: Heat | None = None
    editable: bool = False
    classes: tuple[str, ...] = ()
    alt: str = ""


def out_of_sight(view: View, switched: Mapping[str, bool]) -> frozenset[str]:
    """Returns which layers and maps of a view nobody sees or edits.

    Args:
        view: Its items say whether they start switched on.
        switched: What the visitor has switched on or off since, by key.
    """
    items = (*view.layers, view.heat) if view.heat else view.layers
    unseen = frozenset(item.key for item in items if not switched.get(item.key, item.visible))
    return unseen - {TRUTH} if view.editable else unseen

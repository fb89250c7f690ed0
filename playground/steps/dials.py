"""The values of dials: sliders and lists beside a figure, which choose what it shows and are no hyperparameters."""

from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from core.config import ConfigError
from core.conventions.convention import DETECTRON2, FRAMEWORKS
from core.errors import quote
from core.evaluation.report import USUAL_IOU
from core.evaluation.slices.along_dial import SCENE_DIALS
from core.experiments.atlas import parse_key, to_key
from core.explain.maps import PIXELS, PLACES
from core.explain.target import PARTS
from core.io.text import is_text
from core.robustness.changes import CHANGES
from playground.inspector.rescue_report import ON
from playground.inspector.why import Asked
from playground.support.names import MAX_NAME
from playground.support.untrusted import parse_number

# Figures that a step draws in place of its usual one.
PRECISION, BOXES, ROBUSTNESS, OTHERS = GRAPHS = ("ap", "boxes", "robustness", "frameworks")
ALIASING = "aliasing"  # the picture moves below the anchors
CHANGES_OF_PICTURE = (*CHANGES, ALIASING)
LOSSES, CLASSES = OF_RUN = ("losses", "classes")  # figures of a run
COUNTS = ("3", "5", "7", "9", "12")  # values of a dial of the scenes along which AP is measured
ATLAS_AXES = ("loss", "gamma", "alpha", "prior", "rate")  # as in `core.experiments.atlas.AXES`
# The values of dials that have a few.
CHOICES: dict[str, tuple[str, ...]] = {
    "graph": GRAPHS,
    "why": PARTS,
    "why_at": PLACES,
    "change": CHANGES_OF_PICTURE,
    "framework": tuple(FRAMEWORKS),
    "rescue": (ON,),
    "across": ATLAS_AXES,
    "down": ATLAS_AXES,
    "along_count": COUNTS,
    "of_run": OF_RUN,
}
MAX_COUNTED = MAX_ANCHOR = 10**7
MAX_CLASS = 10**5
MAX_DIAL = 1e4  # above what any dial of the scenes can have
MATCH_RANGE = (0.05, 0.95)
USUAL = "*"  # stands for a dial's default
MAX_PIXELS = 1e5
MAX_DELTA = MAX_PIXELS  # that of a box so far from an anchor of one pixel
MAX_TEXT = 500  # characters of all dials together
Four = tuple[float, float, float, float]


class OfAnchor(NamedTuple):
    """Four numbers that belong to an anchor, so that they are forgotten once another one is chosen."""

    anchor: int
    values: Four

    def __str__(self) -> str:
        return ",".join([str(self.anchor), *(f"{each:.6g}" for each in self.values)])


class Dials(NamedTuple):
    """The values of all dials.

    Attributes:
        graph: One of `GRAPHS`, "" for the step's usual figure.
        counted: How many detections average precision has counted.
        match: Minimum IoU of a detection and the object that it finds.
        of: Name of the class that is counted, "" for all classes.
        box: x1, y1, x2, y2 of the box that an anchor has to predict, in pixels of the resized picture; None for the box
            of its object.
        deltas: The deltas that an anchor predicts; None for those of the network.
        why: The prediction of the picked box that is explained on the picture, one of `PARTS`; "" for none.
        why_at: Where, one of `PLACES`.
        why_of: Index of the class whose logit is explained, −1 for that of the box.
        change: The change of the picture whose effect is measured, one of `CHANGES_OF_PICTURE`.
        rescue: `ON` to search the cheapest rescue of every fault in the picture, "" for none.
        framework: The framework that the same weights are compared in, a key of `FRAMEWORKS` in `core.conventions`.
        across: Horizontal axis of the stability atlas, one of `ATLAS_AXES`.
        down: Its vertical axis.
        of_run: The figure of a run, one of `OF_RUN`.
        along: The dial of the scenes along which AP is measured.
        along_low: Its lowest value; None for the lowest possible one.
        along_high: Its highest value; None for the highest possible one.
        along_count: Number of values, one of `COUNTS`.
        atlas: Key of the place whose runs it shows, see `core.experiments.atlas.to_key`; "" for that of the settings.
    """

    graph: str = ""
    counted: int = 1
    match: float = USUAL_IOU
    of: str = ""
    box: OfAnchor | None = None
    deltas: OfAnchor | None = None
    why: str = ""
    why_at: str = PIXELS
    why_of: int = -1
    rescue: str = ""
    change: str = CHANGES_OF_PICTURE[0]
    framework: str = DETECTRON2
    across: str = "rate"
    down: str = "prior"
    of_run: str = LOSSES
    along: str = "noise"
    along_low: float | None = None
    along_high: float | None = None
    along_count: str = COUNTS[1]
    atlas: str = ""

    @property
    def asked(self) -> Asked:
        """The part of a prediction that is explained."""
        return Asked(self.why, self.why_at, self.why_of)

    def to_values(self) -> dict[str, str]:
        """Returns the values that differ from the defaults, as texts by name."""
        texts = {name: _format(value) for name, value in self._asdict().items()}
        return {name: text for name, text in texts.items() if text != _DEFAULTS[name]}

    def to_text(self) -> str:
        """Returns the values as `parse_dials` reads them."""
        return urlencode(self.to_values(), safe=",")


def parse_dials(text: str) -> Dials:
    """Reads the values of dials from a URL query; untrusted.

    Raises:
        ConfigError: A value is not allowed.
    """
    if len(text) > MAX_TEXT:
        raise ConfigError("The dials of the figure hold more than they can: choose the figure again.")
    dials = Dials()
    for name, value in parse_qsl(text):
        dials = set_dial(dials, name, value)
    return dials


def set_dial(dials: Dials, name: str, value: str) -> Dials:
    """Returns the dials with one of them set.

    Args:
        dials: The dials before.
        name: A field of `Dials`.
        value: Its value as text, `USUAL` for the default; untrusted.

    Raises:
        ConfigError: There is no such dial, or the value is not allowed.
    """
    if value == USUAL and name in Dials._fields:
        return dials._replace(**{name: getattr(Dials(), name)})
    if value in CHOICES.get(name, ()):
        chosen: dict[str, Any] = {name: value}
        return dials._replace(**chosen)
    match name:
        case "counted":
            return dials._replace(counted=int(parse_number(name, value, (0, MAX_COUNTED))))
        case "match":
            return dials._replace(match=parse_number(name, value, MATCH_RANGE))
        case "of" if len(value) <= MAX_NAME and is_text(value):
            return dials._replace(of=value)
        case "why_of":
            return dials._replace(why_of=int(parse_number(name, value, (-1, MAX_CLASS))))
        case "along" if value in SCENE_DIALS:  # bounds belong to a dial
            return dials._replace(along=value, along_low=None, along_high=None)
        case "along_low" | "along_high":
            bound: dict[str, Any] = {name: parse_number(name, value, (0, MAX_DIAL))}
            return dials._replace(**bound)
        case "atlas":
            return dials._replace(atlas=to_key(parse_key(value)))
        case "box":
            return dials._replace(box=_parse_box(value))
        case "deltas":
            return dials._replace(deltas=_parse_of_anchor(name, value, MAX_DELTA))
    raise ConfigError(f"{name[:50]} = {quote(value)} is not allowed for a figure: choose something on the page.")


def _parse_box(text: str) -> OfAnchor:
    box = _parse_of_anchor("box", text, MAX_PIXELS)
    x1, y1, x2, y2 = box.values
    if x2 - x1 < 1 or y2 - y1 < 1:
        raise ConfigError("The box to predict must be at least one pixel wide and high: drag its corners apart.")
    return box


def _parse_of_anchor(name: str, text: str, most: float) -> OfAnchor:
    anchor, *parts = text.split(",")
    if len(parts) != 4:
        raise ConfigError(f"{name} = {quote(text)} is not allowed: it must be an anchor's number and four numbers.")
    first, second, third, fourth = (parse_number(name, part, (-most, most)) for part in parts)
    return OfAnchor(int(parse_number(name, anchor, (0, MAX_ANCHOR))), (first, second, third, fourth))


def _format(value: str | float | OfAnchor | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str | OfAnchor) else f"{value:.7g}"


_DEFAULTS = {name: _format(value) for name, value in Dials()._asdict().items()}

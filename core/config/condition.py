"""Conditions under which a hyperparameter acts, as data beside its declaration."""

from typing import Any, NamedTuple


class Circumstances(NamedTuple):
    """Facts about the data and the weights that the settings are used with; None for an unknown one.

    Attributes:
        generated: Whether the images are generated scenes.
        single_image: Whether what is computed concerns one image alone, not the batches of a training run.
        tiled: Whether an image is larger than the tiles, see `core.retinanet.tiles.is_tiled`.
        several_classes: Whether the detector has more than one class.
        new_classes: Whether its class layer is initialised anew, because the weights know other classes than the data.
    """

    generated: bool | None = None
    single_image: bool | None = None
    tiled: bool | None = None
    several_classes: bool | None = None
    new_classes: bool | None = None


UNKNOWN = Circumstances()


class Check(NamedTuple):
    """A check of one value.

    Attributes:
        of: Path of a hyperparameter, or name of an attribute of `Circumstances`.
        values: The values with which it holds; empty for all.
        excluded: The values with which it does not.
        above: Bound that the value must exceed.
        below: Bound that the value must not reach.
        below_value_of: Path of a hyperparameter whose value it must not reach either.
    """

    of: str
    values: tuple[Any, ...] = ()
    excluded: tuple[Any, ...] = ()
    above: float | None = None
    below: float | None = None
    below_value_of: str = ""

    def holds(self, value: Any, other: Any = None) -> bool:
        """Returns True if a value passes, or is not known.

        Args:
            value: The value.
            other: That of the hyperparameter `below_value_of`.
        """
        if value is None:
            return True
        listed = (not self.values or value in self.values) and value not in self.excluded
        bounds = [bound for bound in (self.below, other) if bound is not None]
        return listed and (self.above is None or value > self.above) and all(value < bound for bound in bounds)


class Condition(NamedTuple):
    """A condition for a hyperparameter to act: one of some checks holds.

    Attributes:
        words: The condition in words that follow "acts", as in "when the loss is OHEM".
        checks: The checks.
    """

    words: str
    checks: tuple[Check, ...]


def when(words: str, *checks: Check) -> Condition:
    """Returns a condition; `Condition` describes the arguments."""
    return Condition(words, checks)


SEVERAL_CLASSES = when("when there are several classes", Check("several_classes", (True,)))
SEVERAL_STEPS = when("when a run has several steps", Check("training.steps", above=1))

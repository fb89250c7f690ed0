"""The faults in a set of pictures, and the sum of what each other value of a hyperparameter does there."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.evaluation.error_types import KINDS
from core.rescue.change import Change
from core.rescue.moves import Move


class Tried(NamedTuple):
    """Another value of one hyperparameter, and its effect in all pictures of a set together.

    Attributes:
        move: The value, and how many steps it is away.
        before: The present value.
        undone: How many faults of each kind it undoes.
        change: The objects found and lost, and the false positives gone and new, the undone faults among them.
    """

    move: Move
    before: Any
    undone: Counter[str]
    change: Change

    def to_dict(self) -> dict[str, Any]:
        """Returns what is written as JSON."""
        undone = {kind: self.undone[kind] for kind in KINDS if self.undone[kind]}
        return {**self.move._asdict(), "before": self.before, "undone": undone, **self.change._asdict()}


class KindOfFault(NamedTuple):
    """The faults of one kind in a set of pictures.

    Attributes:
        kind: One of `core.evaluation.error_types.KINDS`.
        faults: How many there are.
        undone: How many of them some other value of a single hyperparameter undoes.
        cheapest: How many of them each hyperparameter undoes in the fewest steps, by its path, most first.
        best: The value that undoes most of them; if it does harm, then the one without harm that undoes most.
    """

    kind: str
    faults: int
    undone: int
    cheapest: dict[str, int]
    best: tuple[Tried, ...]


class SetRescues(NamedTuple):
    """The faults in a set of pictures and what would undo them.

    Attributes:
        pictures: How many pictures were searched.
        kinds: The kinds of faults that occur, in the order of `KINDS`.
        tried: Each value that was tried in all pictures in which its hyperparameter acts.
        left_out: Paths of hyperparameters of which values could not be tried in some picture, since they take too long.
    """

    pictures: int
    kinds: tuple[KindOfFault, ...]
    tried: tuple[Tried, ...]
    left_out: tuple[str, ...]

    def find(self, move: Move) -> Tried | None:
        """Returns the effect of a value, None if it was not tried in all pictures."""
        return next((each for each in self.tried if each.move == move), None)

    def to_dict(self) -> dict[str, Any]:
        """Returns what is written as JSON."""
        kinds = [{**each._asdict(), "best": [tried.to_dict() for tried in each.best]} for each in self.kinds]
        tried = [each.to_dict() for each in self.tried]
        return {"pictures": self.pictures, "kinds": kinds, "tried": tried, "left_out": list(self.left_out)}


def choose_best(kind: str, tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """Returns the value that undoes most faults of a kind, and if it does harm the one that undoes most without."""
    useful = [each for each in tried if each.undone[kind]]
    useful.sort(key=lambda each: (-each.undone[kind], each.change.harm, each.move.steps))
    good = [each for each in useful if each.change.is_good]
    return (*useful[:1], *(good[:1] if good[:1] != useful[:1] else ()))

"""The search for the one hyperparameter whose fewest steps undo a fault, with what else these change."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from core.config import Knob
from core.rescue.change import Change, compare, find_undone
from core.rescue.faults import Fault, Standing
from core.rescue.moves import Move, count_steps, list_choices, list_near, step_away
from core.rescue.trials import Trials

MAX_SCAN = 120  # steps of a scale that are tried one by one; longer scales are searched by halving
COSTLY_STEPS = 12  # of a scale whose every value needs the network


class Rescue(NamedTuple):
    """Another value of one hyperparameter that undoes a fault, and what else it changes in the picture.

    Attributes:
        move: The value, and how many steps it is away.
        before: The present value.
        change: What changes in the picture, the undone fault among it.
    """

    move: Move
    before: Any
    change: Change


class Verdict(NamedTuple):
    """A fault and its rescues, the fewest steps first; at most one for each hyperparameter.

    Those with a long scale, or that need the network, are not searched for once they would need more steps than another
    that finds no fewer objects and makes no more false positives.
    """

    fault: Fault
    rescues: tuple[Rescue, ...]


class Rescues(NamedTuple):
    """The faults in a picture and what would undo them.

    Attributes:
        standing: How the detections stand under the settings.
        verdicts: Each fault with its rescues, missed objects first.
        tried: How many other values were tried.
        left_out: Paths of hyperparameters of which not all values could be tried, since they take too long.
    """

    standing: Standing
    verdicts: tuple[Verdict, ...]
    tried: int
    left_out: tuple[str, ...]


def find_rescues(trials: Trials) -> Rescues:
    """Tries other values of each hyperparameter that acts without training, from the nearest, until faults are undone.

    Scales of up to `MAX_SCAN` steps are tried step by step, so that the result is exact. On longer ones (top-K and the
    cap) the distance is doubled until a fault is undone, and halved from there: exact where a longer way never brings
    the fault back, as with the cap. Values that need the network again are tried nearest first, as long as
    `Trials.passes_left` allows, and a scale's first `COSTLY_STEPS`.
    """
    search = _Search(trials)
    known = trials.list_knobs()
    costly = [each for each in known if trials.is_costly(each)]
    for knob in known:
        if knob not in costly:
            search.try_cheap(knob)
    search.try_costly(costly)
    verdicts = tuple(Verdict(fault, search.sorted_rescues(row)) for row, fault in enumerate(search.faults))
    return Rescues(trials.base, verdicts, trials.count, tuple(search.left_out))


class _Outcome(NamedTuple):
    """The faults that a value undoes, and its overall effect."""

    undone: list[bool]
    change: Change


class _Search:
    """The rescues that have been found so far."""

    def __init__(self, trials: Trials) -> None:
        self.trials, self.faults = trials, trials.base.faults
        self.values = trials.config.to_flat()
        self.found: list[dict[str, Rescue]] = [{} for _ in self.faults]  # by path
        self.left_out: dict[str, None] = {}
        self._outcomes: dict[tuple[str, object], _Outcome] = {}

    def sorted_rescues(self, row: int) -> tuple[Rescue, ...]:
        rescues = self.found[row].values()  # those that need no network come first where all else is alike
        return tuple(sorted(rescues, key=lambda each: (each.move.steps, each.change.harm)))

    def try_cheap(self, knob: Knob) -> None:
        """Tries the values of a hyperparameter that need no network."""
        value = self.values[knob.path]
        down, up = count_steps(knob, value)
        if down + up == 0:
            self._record(list_choices(knob, value))
        elif down + up <= MAX_SCAN:
            for steps in range(1, max(down, up) + 1):
                if all(knob.path in known for known in self.found):
                    return
                signs = [sign for sign, most in ((1, up), (-1, down)) if steps <= most]
                self._record(step_away(knob, value, sign * steps) for sign in signs)
        else:
            for row in range(len(self.faults)):
                self._gallop(knob, row, (down, up))

    def try_costly(self, costly: Iterable[Knob]) -> None:
        """Tries values that need the network, those that are fewest steps away first."""
        moves = [move for knob in costly for move in list_near(knob, self.values[knob.path], COSTLY_STEPS)]
        for move in sorted(moves, key=lambda each: each.steps):
            is_open = any(self._is_open(row, move.path, move.steps) for row in range(len(self.faults)))
            if not is_open or not self.trials.is_allowed(move):
                continue
            if not self.trials.is_affordable(move):
                self.left_out[move.path] = None
                continue
            self._record([move])

    def _is_open(self, row: int, path: str, steps: int) -> bool:
        """True if a value so many steps away could be a better rescue of a fault than what has been found."""
        known = self.found[row]
        if path in known and known[path].move.steps <= steps:
            return False
        good = [each.move.steps for each in known.values() if each.change.is_good]
        return steps <= min(good, default=steps)

    def _record(self, moves: Iterable[Move]) -> None:
        """Tries values and keeps those that undo faults; of several equally near ones the one that does least harm."""
        for move in filter(self.trials.is_allowed, moves):
            for row, is_undone in enumerate(self._outcome(move).undone):
                if is_undone:
                    self._keep(row, move)

    def _keep(self, row: int, move: Move) -> None:
        rescue = Rescue(move, self.values[move.path], self._outcome(move).change)
        known = self.found[row].get(move.path)
        if known and (known.move.steps, known.change.harm) <= (move.steps, rescue.change.harm):
            return
        self.found[row][move.path] = rescue

    def _outcome(self, move: Move) -> _Outcome:
        """Returns what a value undoes and changes; nothing if it could not be tried."""
        key = move.path, move.value
        if key not in self._outcomes:
            base, after = self.trials.base, self.trials.stand(move)
            if after is None:
                self.left_out[move.path] = None
                self._outcomes[key] = _Outcome([False] * len(self.faults), Change())
            else:
                self._outcomes[key] = _Outcome(find_undone(self.faults, base, after), compare(base, after))
        return self._outcomes[key]

    def _gallop(self, knob: Knob, row: int, ends: tuple[int, int]) -> None:
        """Finds the fewest steps that undo a fault in each direction of a long scale, by doubling and halving."""
        for sign, most in zip((-1, 1), ends, strict=True):
            failed, steps = 0, min(1, most)
            while steps > 0 and self._is_open(row, knob.path, steps) and not self._undoes(knob, sign * steps, row):
                failed, steps = steps, 0 if steps == most else min(2 * steps, most)
            if not steps or not self._is_open(row, knob.path, failed + 1):
                continue
            if not self._undoes(knob, sign * steps, row):
                continue
            while steps - failed > 1:
                middle = (steps + failed) // 2
                if self._undoes(knob, sign * middle, row):
                    steps = middle
                else:
                    failed = middle
            self._keep(row, step_away(knob, self.values[knob.path], sign * steps))

    def _undoes(self, knob: Knob, steps: int, row: int) -> bool:
        return self._outcome(step_away(knob, self.values[knob.path], steps)).undone[row]

"""The search over a set of pictures: the same other values in each of them, with the sum of their effects."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.class_names import match_detector
from core.evaluation.damage import DamagedPictures, read_usable
from core.evaluation.dataset_predictions import count_images
from core.evaluation.error_types import KINDS
from core.rescue.change import Change, compare, find_undone
from core.rescue.moves import Move, list_near, list_spread
from core.rescue.search import COSTLY_STEPS, MAX_SCAN
from core.rescue.totals import KindOfFault, SetRescues, Tried, choose_best
from core.rescue.trials import MAX_PASSES, Scene, Trials
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet
from core.retinanet.predict import predict
from core.structures import GroundTruth, Sample


class SetSearch:
    """Tries the same other values in one picture after another, and adds up their effects.

    Unlike the search in one picture it does not end where a fault is undone, since a value counts only if its effect is
    known in every picture. Scales of up to `MAX_SCAN` steps are tried step by step, longer ones at distances that
    double, and values that need the network up to `COSTLY_STEPS` away and while `Trials.passes_left` allows.
    """

    def __init__(self) -> None:
        self._pictures = 0
        self._faults, self._undone = Counter[str](), Counter[str]()
        self._cheapest: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        self._tried: dict[tuple[str, Any], Tried] = {}  # by path and value
        self._count = Counter[tuple[str, Any]]()  # pictures in which a value was tried
        self._acting = Counter[str]()  # pictures in which a hyperparameter acts, by path

    def add(self, trials: Trials) -> None:
        """Searches one more picture."""
        before, values = trials.base, trials.config.to_flat()
        fewest: list[tuple[int, tuple[int, int], str] | None] = [None] * len(before.faults)
        self._pictures += 1
        self._acting.update(each.path for each in trials.list_knobs())
        for move in _list_moves(trials):
            after = trials.stand(move)
            change = compare(before, after) if after else Change()
            flags = find_undone(before.faults, before, after) if after else [False] * len(before.faults)
            undone = Counter(fault.kind for fault, flag in zip(before.faults, flags, strict=True) if flag)
            self._add(Tried(move, values[move.path], undone, change), is_tried=after is not None)
            this = (move.steps, change.harm, move.path)
            fewest = [min(best or this, this) if flag else best for best, flag in zip(fewest, flags, strict=True)]
        self._faults.update(fault.kind for fault in before.faults)
        for fault, best in zip(before.faults, fewest, strict=True):
            if best:
                self._undone[fault.kind] += 1
                self._cheapest[fault.kind][best[-1]] += 1

    def _add(self, tried: Tried, *, is_tried: bool) -> None:
        key = tried.move.path, tried.move.value
        self._count[key] += is_tried
        if known := self._tried.get(key):
            change = Change(*map(sum, zip(known.change, tried.change, strict=True)))
            tried = tried._replace(undone=known.undone + tried.undone, change=change)
        self._tried[key] = tried

    def collect(self) -> SetRescues:
        """Returns what the pictures so far have shown."""
        is_known = {key: self._count[key] == self._acting[key[0]] for key in self._tried}
        tried = tuple(each for key, each in self._tried.items() if is_known[key])
        left_out = tuple(dict.fromkeys(path for (path, _), known in is_known.items() if not known))
        kinds = tuple(
            KindOfFault(
                kind,
                self._faults[kind],
                self._undone[kind],
                dict(self._cheapest[kind].most_common()),
                choose_best(kind, tried),
            )
            for kind in KINDS
            if self._faults[kind]
        )
        return SetRescues(self._pictures, kinds, tried, left_out)


def search_set(
    search: SetSearch,
    model: RetinaNet,
    class_names: Sequence[str],
    data: DataSet,
    config: Config,
    damaged: DamagedPictures,
    count_passes: Callable[[int, int], float] = lambda height, width: MAX_PASSES,
) -> Iterator[int]:
    """Searches the first images of a data set, see `count_images`; yields how many are done, with those left out.

    Args:
        search: Receives the images.
        model: The detector.
        class_names: Its class names, which are matched with those of the data set.
        data: The data set.
        config: All settings; the score threshold, too, is the present one.
        damaged: Receives the images that cannot be used.
        count_passes: Returns how many times the network's work for an image may be done to try other values, for its
            height and width.

    Raises:
        DataError: The detector lacks a class of the data set, or more than half of the images cannot be used.
    """
    fused = fuse_batch_norms(model)
    known = match_detector(config.model.weights, class_names, data.class_names)  # [K] of the data set
    to_label = torch.full((len(class_names),), -1)
    to_label[known] = torch.arange(len(data.class_names))
    for index in range(count_images(data, config)):
        sample = read_usable(data, index, config.inference)
        if isinstance(sample, Sample):
            prediction = predict(fused, [sample.image], config)
            scene = Scene(sample.image, GroundTruth.of(sample), len(data.class_names), to_label, prediction, fused)
            search.add(Trials(scene, config, passes=count_passes(*sample.image.shape[1:])))
        else:
            damaged.add(index, sample)
        yield index + 1


def _list_moves(trials: Trials) -> Iterator[Move]:
    """Yields the values to try, those that need no network first, of each group the nearest first."""
    values = trials.config.to_flat()
    known = trials.list_knobs()
    cheap, costly = list[Move](), list[Move]()
    for knob in known:
        if trials.is_costly(knob):
            costly += list_near(knob, values[knob.path], COSTLY_STEPS)
        else:
            cheap += list_spread(knob, values[knob.path], MAX_SCAN)
    for moves in (cheap, costly):
        yield from filter(trials.is_allowed, sorted(moves, key=lambda each: each.steps))

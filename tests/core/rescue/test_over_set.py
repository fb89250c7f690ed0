"""The rescues over a set are the sums of those in its pictures, which are known from how the outputs were made."""

import pytest
import torch

from core.config import Config, knobs
from core.data.dataset import DataSet
from core.errors import PictureError
from core.evaluation.damage import DamagedPictures
from core.evaluation.detection_matching import compute_overlaps
from core.evaluation.error_types import analyse_errors
from core.rescue.change import Change
from core.rescue.moves import Move, count_steps, list_near, list_spread
from core.rescue.over_set import SetSearch, search_set
from core.rescue.search import find_rescues
from core.rescue.totals import SetRescues
from core.rescue.trials import Trials
from core.retinanet.model import build_model
from core.retinanet.predict import detect
from core.structures import GroundTruth, Sample
from tests.core.networks import spread_scores
from tests.core.rescue.made import try_all

CAT, DOG = 0, 1
HERE, THERE, AWAY = [0, 0, 40, 40], [50, 50, 90, 90], [50, 0, 90, 40]
SCORE = "inference.score_threshold"


def search_all(*trials: Trials) -> SetRescues:
    found = SetSearch()
    for each in trials:
        found.add(each)
    return found.collect()


def test_a_value_counts_in_all_pictures():
    """0.04 finds the first cat, 0.03 the second one too and lets in a dog; nothing finds the third."""
    found = search_all(
        try_all([(HERE, CAT)], [(HERE, CAT, 0.045)]),
        try_all([(HERE, CAT)], [(HERE, CAT, 0.035), (THERE, DOG, 0.032)]),
        try_all([(HERE, CAT)], []),
    )
    (missed,) = found.kinds
    assert (missed.kind, missed.faults, missed.undone, missed.cheapest) == ("missed", 3, 2, {SCORE: 2})
    assert found.pictures == 3 and SCORE not in found.left_out
    assert found.find(Move(SCORE, 0.04, 1)).change == Change(found=1)
    assert found.find(Move(SCORE, 0.03, 2)).change == Change(found=2, new=1)
    most, harmless = missed.best
    assert (most.move, most.undone, most.before) == (Move(SCORE, 0.03, 2), {"missed": 2}, 0.05)
    assert (harmless.move, harmless.undone) == (Move(SCORE, 0.04, 1), {"missed": 1})


@pytest.mark.parametrize(("left", "lost"), [(13, 1), (16, 0)])  # an IoU of 0.509 or 0.429 with HERE
def test_what_mends_one_picture_and_breaks_another_is_said(left, lost):
    """A threshold of 0.48 drops a duplicate with an IoU of 0.481 in one picture, and perhaps a find in the other."""
    duplicate, neighbour = [14, 0, 54, 40], [left, 0, left + 40, 40]
    found = search_all(
        try_all([([2, 0, 42, 40], CAT)], [(HERE, CAT, 0.9), (duplicate, CAT, 0.8)], nms_threshold=0.6),
        try_all([(HERE, CAT), (neighbour, CAT)], [(HERE, CAT, 0.9), (neighbour, CAT, 0.8)], nms_threshold=0.6),
    )
    (kind,) = found.kinds
    assert (kind.kind, kind.faults, kind.undone) == ("duplicate", 1, 1)
    move = Move("inference.nms_threshold", 0.48, 12)
    assert found.find(move).change == Change(lost=lost, gone=1)
    assert found.find(Move("inference.nms_threshold", 0.51, 9)).change == Change()
    (best,) = kind.best
    assert best.change.is_good == (not lost) and (lost or best.move == move)


@pytest.mark.slow
def test_the_fewest_steps_of_each_fault_are_those_of_its_own_picture():
    guesses = [(HERE, CAT, 0.045), (THERE, DOG, 0.9), ([64, 50, 96, 90], DOG, 0.6), (AWAY, DOG, 0.3)]
    objects = [(HERE, CAT), (THERE, DOG)]
    trials = [try_all(objects, guesses[: 1 + each]) for each in range(4)]
    found = search_all(*trials)
    singles = [verdict for each in trials for verdict in find_rescues(each).verdicts]
    for kind in found.kinds:
        mine = [each for each in singles if each.fault.kind == kind.kind]
        assert (kind.faults, kind.undone) == (len(mine), sum(bool(each.rescues) for each in mine))
        paths = [each.rescues[0].move.path for each in mine if each.rescues]
        assert kind.cheapest == {path: paths.count(path) for path in paths}


def test_a_value_that_one_picture_cannot_afford_is_left_out():
    dear = try_all([(HERE, CAT)], [(HERE, CAT, 0.9)])
    dear.work_left = -1
    found = search_all(try_all([(HERE, CAT)], [(HERE, CAT, 0.045)]), dear)
    assert found.tried == () and SCORE in found.left_out
    assert (found.kinds[0].undone, found.kinds[0].best) == (1, ())  # it is known in its own picture only


def test_no_picture_and_pictures_without_faults():
    assert search_all() == SetRescues(0, (), (), ())
    found = search_all(try_all([(HERE, CAT)], [(HERE, CAT, 0.9)]))
    assert found.kinds == () and found.find(Move(SCORE, 0.9, 85)).change == Change(lost=1)


@pytest.mark.parametrize("value", [0.05, 0.0, 1.0, 0.055])
def test_a_short_scale_is_tried_step_by_step(value):
    knob = knobs()[SCORE]
    moves = list(list_spread(knob, value, 120))
    assert len(moves) == sum(count_steps(knob, value)) and moves == list(list_near(knob, value, 120))


@pytest.mark.parametrize(("value", "up", "down"), [(1000, 15, 11), (1, 15, 0), (10000, 0, 15)])
def test_a_long_scale_is_tried_at_distances_that_double_and_at_its_ends(value, up, down):
    knob = knobs()["inference.topk_candidates"]
    moves = list(list_spread(knob, value, 120))
    values = [each.value for each in moves]
    assert (sum(each > value for each in values), sum(each < value for each in values)) == (up, down)
    assert len(set(values)) == len(values) and {1, 10000} <= {*values, value}
    assert all(each.steps == abs(each.value - value) for each in moves)


NETWORK = Config.from_flat(
    {
        "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 64,
        "anchors.scales": (1.0,),
    }
)  # fmt: skip


class Pictures(DataSet):
    """Three pictures of noise with an object each, and a damaged one."""

    class_names = ("dog", "cat")  # the network's, in another order

    def __len__(self) -> int:
        return 4

    def image_name(self, index: int) -> str:
        return f"{index}.png"

    def __getitem__(self, index: int) -> Sample:
        if index == 1:
            raise PictureError("1.png is damaged.")
        dice = torch.Generator().manual_seed(index)
        image = torch.randint(256, (3, 64, 80), generator=dice).to(torch.uint8)
        return Sample(image, torch.tensor([[8.0, 8, 40, 40]]), torch.tensor([index % 2]), torch.tensor([False]), index)


@pytest.mark.slow
def test_every_value_does_what_the_detector_does_under_it():
    """The sums are those of detecting anew under each value, in all pictures, with TIDE's own analysis."""
    torch.manual_seed(0)
    config = NETWORK.replace({"inference.topk_candidates": 20})
    data, model = Pictures(), build_model(config.model, num_classes=2, anchors_per_location=3).eval()
    spread_scores(model, data[0].image, config)
    search, damaged = SetSearch(), DamagedPictures(4)
    assert list(search_set(search, model, ("cat", "dog"), data, config, damaged, lambda *_: 4)) == [1, 2, 3, 4]
    assert list(damaged.errors) == [1]
    found = search.collect()
    assert found.pictures == 3

    def count(settings: Config) -> tuple[int, int]:
        right = wrong = 0
        for index in (0, 2, 3):
            sample = data[index]
            (seen,) = detect(model, [sample.image], settings)
            seen = seen._replace(labels=1 - seen.labels)
            errors = analyse_errors(compute_overlaps([seen], [GroundTruth.of(sample)]), 2).errors
            wrong += (faults := sum(each.detection >= 0 for each in errors))
            right += len(seen.scores) - faults
        return right, wrong

    assert found.kinds and {each.move.path for each in found.tried} >= {SCORE, "inference.image_size"}
    right, wrong = count(config)
    for tried in found.tried[::7]:
        now = count(config.replace({tried.move.path: tried.move.value}))
        change = tried.change
        assert now == (right + change.found - change.lost, wrong + change.new - change.gone), tried

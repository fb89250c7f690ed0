"""The cheapest rescue is the one that is known from how the outputs were made, and from trying every value."""

import pytest
import torch

from core.config import Config, knobs
from core.evaluation.detection_matching import compute_overlaps
from core.evaluation.error_types import analyse_errors
from core.rescue.change import Change
from core.rescue.faults import Fault, Standing, find_standing
from core.rescue.moves import Move, count_steps, list_choices, step_away
from core.rescue.proposals import find_proposal
from core.rescue.search import Rescue, find_rescues
from core.rescue.trials import Scene, Trials
from core.retinanet.model import build_model
from core.retinanet.predict import detect, predict
from core.structures import GroundTruth
from tests.core.boxes_by_hand import found, random_scenes, truth
from tests.core.rescue.made import SIDE, config, make_scene, try_all

pytestmark = pytest.mark.slow

CAT, DOG = 0, 1
HERE, THERE, AWAY = [0, 0, 40, 40], [50, 50, 90, 90], [50, 0, 90, 40]


def rescues_of(trials: Trials, row: int = 0) -> dict[str, Rescue]:
    """Returns the rescues of a fault by the name of the hyperparameter, after checking that they are in order."""
    verdict = find_rescues(trials).verdicts[row]
    steps = [each.move.steps for each in verdict.rescues]
    assert steps == sorted(steps)
    return {each.move.path.removeprefix("inference."): each for each in verdict.rescues}


def test_a_score_just_under_the_threshold():
    trials = try_all([(HERE, CAT)], [(HERE, CAT, 0.045)])
    assert [each.kind for each in trials.base.faults] == ["missed"]
    expected = Rescue(Move("inference.score_threshold", 0.04, 1), 0.05, Change(found=1))
    assert rescues_of(trials) == {"score_threshold": expected}


def test_a_score_at_the_threshold_is_not_above_it():
    exact = torch.tensor(0.25, dtype=torch.float64).logit().float().sigmoid().item()
    assert exact == 0.25
    kept = rescues_of(try_all([(HERE, CAT)], [(HERE, CAT, 0.25)], score_threshold=0.3))
    assert kept["score_threshold"].move == Move("inference.score_threshold", 0.24, 6)


def test_what_else_a_lower_threshold_lets_in_is_counted():
    guesses = [(HERE, CAT, 0.045), (THERE, CAT, 0.047), (AWAY, DOG, 0.043)]
    rescue = rescues_of(try_all([(HERE, CAT)], guesses))["score_threshold"]
    assert rescue.move.value == 0.04 and rescue.change == Change(found=1, new=2)
    assert not rescue.change.is_good and rescue.change.harm == (-1, 2)


def test_two_objects_that_overlap_and_the_exact_step_of_the_nms_threshold():
    beside = [9, 0, 49, 40]  # IoU 31/49 = 0.633
    trials = try_all([(HERE, CAT), (beside, CAT)], [(HERE, CAT, 0.9), (beside, CAT, 0.8)])
    assert trials.base.found == {0}
    kept = rescues_of(trials)
    assert kept["nms_threshold"] == Rescue(Move("inference.nms_threshold", 0.64, 14), 0.5, Change(found=1))
    assert kept["nms_kind"].move == Move("inference.nms_kind", "soft", 1)  # lowers it to 0.8 · exp(−0.633²/0.5) = 0.36
    assert "class_agnostic_nms" not in kept and "score_threshold" not in kept


def test_a_duplicate_and_the_exact_step_of_the_nms_threshold():
    beside = [14, 0, 54, 40]  # IoU 26/54 = 0.481 with the box that has found the object, 0.538 with the object
    trials = try_all([([2, 0, 42, 40], CAT)], [(HERE, CAT, 0.9), (beside, CAT, 0.8)])
    assert [each.kind for each in trials.base.faults] == ["duplicate"]
    kept = rescues_of(trials)
    assert kept["nms_threshold"].move == Move("inference.nms_threshold", 0.48, 2)
    assert kept["nms_threshold"].change == Change(gone=1)
    assert kept["score_threshold"].move.value == 0.8 and kept["score_threshold"].change == Change(gone=1)


@pytest.mark.parametrize(("rank", "topk", "steps"), [(2, 1, 1), (4, 1, 3), (12, 2, 10), (20, 3, 17)])
def test_a_box_that_top_k_lost(rank, topk, steps):
    others = [([4 * each, 60, 4 * each + 3, 63], DOG, 0.9 - 0.01 * each) for each in range(rank - 1)]
    trials = try_all([(HERE, CAT)], [*others, (HERE, CAT, 0.5)], topk_candidates=topk)
    missed = [each.kind for each in trials.base.faults].index("missed")
    rescue = rescues_of(trials, missed)["topk_candidates"]
    assert rescue.move == Move("inference.topk_candidates", rank, steps)
    assert rescue.change == Change(found=1, new=rank - 1 - topk)


@pytest.mark.parametrize(("rank", "cap", "steps"), [(2, 1, 1), (5, 2, 3), (19, 3, 16)])
def test_a_box_that_the_cap_lost(rank, cap, steps):
    others = [([4 * each, 60, 4 * each + 3, 63], DOG, 0.9 - 0.01 * each) for each in range(rank - 1)]
    trials = try_all([(HERE, CAT)], [*others, (HERE, CAT, 0.5)], max_detections=cap)
    rescue = rescues_of(trials)["max_detections"]
    assert rescue.move == Move("inference.max_detections", rank, steps)


def test_an_object_with_two_labels_and_one_that_another_class_suppresses():
    trials = try_all([(HERE, CAT)], [(HERE, CAT, 0.9), (HERE, DOG, 0.3)])
    assert [each.kind for each in trials.base.faults] == ["class"]
    kept = rescues_of(trials)
    assert kept["class_agnostic_nms"] == Rescue(Move("inference.class_agnostic_nms", True, 1), False, Change(gone=1))
    assert kept["score_threshold"].move.value == 0.3  # not above it
    beside = [9, 0, 49, 40]
    trials = try_all([(HERE, CAT), (beside, DOG)], [(HERE, CAT, 0.9), (beside, DOG, 0.8)], class_agnostic_nms=True)
    assert rescues_of(trials)["class_agnostic_nms"].change == Change(found=1)


def test_hiding_the_only_box_of_an_object_is_no_rescue():
    """A poor box, IoU 0.4, is all that the object has: without it the object would be missed."""
    trials = try_all([(HERE, CAT)], [([0, 0, 40, 16], CAT, 0.6)])
    assert [each.kind for each in trials.base.faults] == ["location"]
    assert rescues_of(trials) == {}
    proposal = find_proposal(trials.scene.prediction, trials.config, torch.tensor(HERE).float(), CAT)
    assert proposal.iou == pytest.approx(0.4, abs=1e-4) and proposal.score == 0 and proposal.level == "P3"
    assert proposal.near == pytest.approx(0.6, abs=1e-4)


def test_the_proposal_names_the_class_that_is_surer():
    trials = try_all([(HERE, CAT)], [(HERE, DOG, 0.6)])
    proposal = find_proposal(trials.scene.prediction, trials.config, torch.tensor(HERE).float(), CAT)
    assert proposal.iou == pytest.approx(1, abs=1e-4) and (proposal.other, round(proposal.other_score, 4)) == (DOG, 0.6)
    assert proposal.score < 1e-6
    unknown = find_proposal(trials.scene.prediction, trials.config, torch.tensor(HERE).float(), -1)
    assert unknown.score == 0 and unknown.other == DOG


def test_a_picture_without_faults_needs_no_trial():
    rescues = find_rescues(try_all([(HERE, CAT)], [(HERE, CAT, 0.9)]))
    assert rescues.verdicts == () and rescues.standing.found == {0}


def test_classes_that_the_objects_do_not_have_count_neither_way():
    settings = config()
    scene = make_scene([(HERE, CAT)], [(HERE, CAT, 0.9), (THERE, DOG, 0.8)], settings)
    assert Trials(scene._replace(to_label=torch.tensor([0, -1])), settings).base.faults == ()


def test_what_needs_the_network_is_left_out_without_one_and_said():
    rescues = find_rescues(try_all([(HERE, CAT)], []))
    assert rescues.verdicts[0].rescues == ()
    assert "inference.image_size" in rescues.left_out and "inference.test_time_flip" in rescues.left_out


# ---- against every value, tried one by one


def crowd(seed: int) -> tuple[list, list]:
    predictions, truths = random_scenes(seed, pictures=8, classes=2)
    picture = max(range(8), key=lambda each: len(predictions[each].boxes) * len(truths[each].boxes))
    objects = zip(truths[picture].boxes.tolist(), truths[picture].labels.tolist(), strict=True)
    inside = predictions[picture].boxes.clamp(0, SIDE).tolist()
    scores = (predictions[picture].scores * 0.9 + 0.03).tolist()
    guesses = zip(inside, predictions[picture].labels.tolist(), scores, strict=True)
    good = [each for each in guesses if each[0][2] - each[0][0] > 1 and each[0][3] - each[0][1] > 1]
    return list(objects), good


def stand_everywhere(trials: Trials, path: str, most: int) -> list[list[Standing]]:
    """Returns the standings so many steps away, from 1, each computed with nothing reused."""
    value, knob = trials.config.to_flat()[path], knobs()[path]
    down, up = count_steps(knob, value)
    return [
        [
            Trials(trials.scene, trials.config.replace({path: step_away(knob, value, sign * steps).value})).base
            for sign, end in ((1, up), (-1, down))
            if steps <= end
        ]
        for steps in range(1, most + 1)
    ]


def needed(fault: Fault, before: Standing, by_steps: list[list[Standing]]) -> int | None:
    """Returns the fewest steps that undo a fault."""
    for steps, standings in enumerate(by_steps, start=1):
        for after in standings:
            undone = fault.object in after.found
            if fault.kind != "missed":
                must_be_found = fault.kind in ("class", "location") and fault.object not in before.found
                there = [each for each in after.wrong if each.label == fault.label and overlaps(each.box, fault.box)]
                undone = not there and (undone or not must_be_found)
            if undone:
                return steps
    return None


def overlaps(box: torch.Tensor, other: torch.Tensor) -> bool:
    low, high = torch.maximum(box[:2], other[:2]), torch.minimum(box[2:], other[2:])
    both = (high - low).clamp(min=0).prod()
    return bool(both / ((box[2:] - box[:2]).prod() + (other[2:] - other[:2]).prod() - both) >= 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_no_fewer_steps_would_do(seed, kind):
    objects, guesses = crowd(seed)
    trials = try_all(objects, guesses, max_detections=4, nms_kind=kind)
    verdicts, ends = find_rescues(trials).verdicts, {"score_threshold": 95, "max_detections": 12}
    ends["nms_threshold" if kind == "hard" else "soft_nms_sigma"] = 50
    everywhere = {name: stand_everywhere(trials, f"inference.{name}", most) for name, most in ends.items()}
    assert verdicts
    for verdict in verdicts:
        by_name = {each.move.path.removeprefix("inference."): each.move.steps for each in verdict.rescues}
        good = [each.move.steps for each in verdict.rescues if each.change.is_good]
        for name, by_steps in everywhere.items():
            steps = needed(verdict.fault, trials.base, by_steps)
            if name != "max_detections":
                assert by_name.get(name) == steps
            elif steps is not None and steps <= min(good, default=12):
                assert by_name[name] == steps


# ---- the parts


def test_the_standing_is_that_of_the_evaluation():
    predictions, truths = random_scenes(5)
    for each, objects in zip(predictions, truths, strict=True):
        errors = analyse_errors(compute_overlaps([each], [objects]), 3).errors
        faults = find_standing(each, objects, 3).faults
        assert sorted((fault.kind, fault.detection, fault.object) for fault in faults) == sorted(
            (error.kind, error.detection, error.object) for error in errors
        )


def test_standing_by_hand():
    standing = find_standing(found([HERE, THERE], [0.9, 0.4]), truth([HERE, AWAY]), 2)
    assert standing.found == {0} and [each.object for each in standing.missed] == [1]
    assert [(each.kind, round(each.score, 3)) for each in standing.wrong] == [("background", 0.4)]


def test_steps_of_a_scale():
    threshold, size = knobs()["inference.score_threshold"], knobs()["inference.image_size"]
    assert count_steps(threshold, 0.05) == (5, 95) and count_steps(size, 256) == (7, 42)
    assert step_away(threshold, 0.05, 1) == Move("inference.score_threshold", 0.06, 1)
    assert step_away(threshold, 0.053, 1).value == 0.06 and step_away(threshold, 0.053, -1).value == 0.05
    assert count_steps(threshold, 0.053) == (6, 95) and step_away(threshold, 0.053, -6).value == 0
    assert step_away(size, 256, -7).value == 32 and isinstance(step_away(size, 256, 1).value, int)
    assert all(step_away(threshold, 0.05, each).value == float(f"0.{5 + each:02d}") for each in range(1, 95))


def test_choices_are_one_step_each():
    names = ("nms_kind", "class_agnostic_nms", "test_time_scales")
    kind, agnostic, scales = (knobs()[f"inference.{name}"] for name in names)
    assert [each.value for each in list_choices(kind, "hard")] == ["soft", "diou", "wbf"]
    assert [each.value for each in list_choices(agnostic, False)] == [True]
    assert (1.0, 2.0) in [each.value for each in list_choices(scales, (1.0,))]
    assert [each.value for each in list_choices(scales, (1.0, 2.0))][-2:] == [(2.0,), (1.0,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "move",
    [
        Move("inference.score_threshold", 0.012, 1),
        Move("inference.nms_threshold", 0.3, 1),
        Move("inference.image_size", 96, 1),
        Move("inference.test_time_flip", True, 1),
        Move("inference.test_time_scales", (1.0, 1.5), 1),
        Move("inference.tile_size", 64, 1),
    ],
)
@pytest.mark.parametrize("tile_size", [0, 96])
def test_reused_outputs_give_what_the_whole_pipeline_gives(move, tile_size):
    torch.manual_seed(0)
    settings = Config.from_flat(
        {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 64,
         "inference.score_threshold": 0.011, "inference.tile_size": tile_size}
    )  # fmt: skip
    model = build_model(settings.model, num_classes=2, anchors_per_location=9).eval()
    image = torch.randint(0, 256, (3, 128, 160), dtype=torch.uint8)
    objects = GroundTruth(torch.tensor([[10.0, 10, 60, 60]]), torch.tensor([0]), torch.tensor([False]))
    scene = Scene(image, objects, 2, torch.arange(2), predict(model, [image], settings), model)
    after = Trials(scene, settings, passes=100).stand(move)
    whole = detect(model, [image], settings.replace({move.path: move.value}))[0]
    expected = find_standing(whole, objects, 2)
    assert after is not None and after.found == expected.found and len(after.wrong) == len(expected.wrong) > 0
    for one, other in zip(after.wrong, expected.wrong, strict=True):
        assert torch.equal(one.box, other.box) and one.score == other.score


@pytest.mark.slow
def test_the_work_of_the_network_is_bounded():
    torch.manual_seed(0)
    settings = Config.from_flat({"model.weights": "random", "model.fpn_channels": 32, "inference.image_size": 64})
    model = build_model(settings.model, num_classes=2, anchors_per_location=9).eval()
    image = torch.zeros(3, 128, 128, dtype=torch.uint8)
    objects = GroundTruth(torch.tensor([[10.0, 10, 60, 60]]), torch.tensor([0]), torch.tensor([False]))
    scene = Scene(image, objects, 2, torch.arange(2), predict(model, [image], settings), model)
    seen = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[0] * inputs[0].shape[-1] ** 2))
    trials = Trials(scene, settings, passes=5)
    rescues = find_rescues(trials)
    assert rescues.left_out and 0 <= trials.passes_left < 5
    assert 0 < sum(seen) / 64**2 <= 5 + 3  # other views and tiles come with the plain outputs, which are at hand


def test_values_that_contradict_others_are_neither_tried_nor_left_out(monkeypatch):
    trials, tried = try_all([(HERE, CAT)], [], test_time_scales=(1.0, 1.5)), []

    def stand(move: Move) -> Standing:
        tried.append(move)
        return trials.base

    monkeypatch.setattr(trials, "stand", stand)
    monkeypatch.setattr(trials, "is_affordable", lambda move: True)
    assert find_rescues(trials).left_out == ()
    scales = [each.value for each in tried if each.path == "inference.test_time_scales"]
    assert (1.0,) in scales and (1.5,) not in scales  # 1 must be among them


def test_the_work_of_nms_is_bounded_and_what_is_left_out_is_said(monkeypatch):
    for work, is_found in ((3e4, True), (1.5e4, False)):  # each threshold looks at all 3,492 scores
        monkeypatch.setattr("core.rescue.trials.MAX_WORK", work)
        trials = try_all([(HERE, CAT)], [(HERE, CAT, 0.015)])  # four steps below the threshold
        rescues = find_rescues(trials)
        assert 0 <= trials.work_left < work and bool(rescues.verdicts[0].rescues) == is_found
        assert ("inference.score_threshold" in rescues.left_out) != is_found
        assert rescues.tried == sum(each is not None for each in trials._standings.values()) < len(trials._standings)

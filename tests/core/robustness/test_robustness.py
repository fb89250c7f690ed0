"""Changes of pictures whose effect is known, and detections that are known to survive them."""

import math

import pytest
import torch
from torch import nn

from core.config import Config
from core.retinanet.boxes import clip, iou_matrix
from core.retinanet.model import Outputs, build_model
from core.retinanet.predict import detect, make_batch_anchors
from core.retinanet.preprocess import prepare
from core.robustness.changes import CHANGES, apply_change, move_boxes, shift_right
from core.robustness.shifts import list_shifts, measure_shifts
from core.robustness.survival import _match, measure_survival
from tests.core.boxes_by_hand import found
from tests.core.networks import spread_scores

SIDE = 64
GREY = torch.full((3, SIDE, SIDE), 100, dtype=torch.uint8)


def square(x1: int, y1: int, x2: int, y2: int) -> torch.Tensor:
    image = GREY.clone()
    image[:, y1:y2, x1:x2] = 250
    return image


def extent(image: torch.Tensor, above: int = 170) -> list[int]:
    rows, columns = torch.nonzero(image[0] > above).unbind(1)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


@pytest.mark.parametrize("name", CHANGES)
def test_strength_0_is_the_picture_itself_and_the_others_are_not(name):
    image = square(20, 20, 40, 30)
    assert 0 in CHANGES[name].strengths and list(CHANGES[name].strengths) == sorted(CHANGES[name].strengths)
    for strength in CHANGES[name].strengths:
        changed = apply_change(name, image, strength, 1)
        assert changed.shape == image.shape and changed.dtype == torch.uint8
        assert torch.equal(changed, image) == (strength == 0)
        assert torch.equal(changed, apply_change(name, image, strength, 1))  # seeded


def test_changes_by_hand():
    assert (apply_change("brightness", GREY, 20, 0) == 120).all() and (
        apply_change("brightness", GREY, -60, 0) == 40
    ).all()
    assert (apply_change("brightness", GREY + 140, 20, 0) == 255).all()
    noisy = apply_change("noise", GREY, 10, 0).float()
    assert noisy.mean().item() == pytest.approx(100, abs=0.5) and noisy.std().item() == pytest.approx(10, abs=0.5)
    assert not torch.equal(apply_change("noise", GREY, 10, 0), apply_change("noise", GREY, 10, 1))
    assert (apply_change("blur", GREY, 3, 0) == 100).all() and (
        apply_change("jpeg", GREY, 90, 0).float() - 100
    ).abs().max() <= 2
    row = torch.arange(5)
    assert shift_right(row, 2).tolist() == [0, 0, 0, 1, 2] and shift_right(row, -2).tolist() == [2, 3, 4, 4, 4]


def test_boxes_follow_a_shift_and_a_rotation():
    box = torch.tensor([[20.0, 24, 44, 34]])
    for strength in CHANGES["shift"].strengths:
        moved = move_boxes("shift", box, strength, (SIDE, SIDE))[0]
        assert moved.tolist() == extent(apply_change("shift", square(20, 24, 44, 34), strength, 0))
    for strength in CHANGES["rotation"].strengths:
        moved = move_boxes("rotation", box, strength, (SIDE, SIDE))[0]
        drawn = torch.tensor(extent(apply_change("rotation", square(20, 24, 44, 34), strength, 0)))
        assert (moved - drawn).abs().max() <= 1.5
    quarter = move_boxes("rotation", torch.tensor([[0.0, 0, 10, 20]]), 90, (40, 60))[0]
    assert quarter.tolist() == pytest.approx([10, 40, 30, 50], abs=1e-4)  # anticlockwise about (30, 20)
    assert torch.equal(move_boxes("blur", box, 3, (SIDE, SIDE)), box)


def test_what_survives_by_hand():
    before = found(
        [[0, 0, 20, 20], [30, 30, 50, 50], [40, 0, 60, 20], [50, 50, 64, 64]], [0.9, 0.8, 0.7, 0.6], [0, 0, 1, 0]
    )
    after = found([[2, 0, 22, 20], [30, 30, 40, 50], [40, 0, 60, 20]], [0.5, 0.4, 0.3], [0, 0, 0])
    moved = before.boxes + torch.tensor([0.0, 0, 0, 0])
    moved[3] += 8  # 6 of 14 pixels are left along each side
    survival = _match(after, before, moved, (SIDE, SIDE), 1.0)
    assert survival.score[:3].tolist() == pytest.approx([0.5, 0.4, 0]) and math.isnan(survival.score[3])
    assert survival.new == 1  # the other class is none of them


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_strength_0_gives_the_same_detections_to_the_bit(name):
    torch.manual_seed(0)
    config = Config.from_flat({"model.weights": "random", "model.fpn_channels": 32, "inference.image_size": 64})
    model = build_model(config.model, num_classes=3, anchors_per_location=9).eval()
    image = torch.randint(256, (3, 64, 80), dtype=torch.uint8)
    spread_scores(model, image, config)
    before = detect(model, [image], config)[0]
    survivals = measure_survival(model, image, before, config, name)
    same = next(each for each in survivals if each.strength == 0)
    assert len(before.scores) > 3 and torch.equal(same.score, before.scores) and same.new == 0
    assert any(not torch.equal(each.score, before.scores) for each in survivals)


class Toy(nn.Module):
    """A network of one convolution on P3, with a stride of 8 and no padding: it sees every cell alike."""

    def __init__(self, anchors: int) -> None:
        super().__init__()
        self.see = nn.Conv2d(3, 9 * 2, 8, stride=8)
        self.anchors = anchors

    def forward(self, pixels: torch.Tensor) -> Outputs:
        logits = torch.full((len(pixels), self.anchors, 2), -20.0)
        seen = self.see(pixels).permute(0, 2, 3, 1).reshape(len(pixels), -1, 2)
        logits[:, : seen.shape[1]] = seen
        return Outputs(logits, torch.zeros(len(pixels), self.anchors, 4), ())


def test_a_shift_by_the_stride_gives_the_same_score_and_one_by_half_of_it_another():
    torch.manual_seed(0)
    config = Config.from_flat({"inference.image_size": 128})
    image = torch.randint(256, (3, 128, 128), dtype=torch.uint8)
    batch = prepare([image], config.inference)
    grid = make_batch_anchors(batch, config.anchors)
    toy = Toy(len(grid.boxes)).eval()
    anchor = 9 * (16 * 7 + 5) + 4  # of the cell in row 7, column 5 of P3
    detection = grid.boxes[anchor], 1
    shifts = list_shifts(batch, grid.boxes[anchor], 0)
    assert shifts == list(range(9))
    measured = measure_shifts(toy, batch, grid, detection, shifts)
    scores = [each.score for each in measured]
    assert scores[8] == pytest.approx(scores[0], abs=1e-6) and measured[8].iou == measured[0].iou
    assert abs(scores[4] - scores[0]) > 1e-3
    (half,) = measure_shifts(toy, batch, grid, detection, [0], "bf16")
    assert half.score == pytest.approx(scores[0], abs=0.02) and half.score != scores[0]
    others = [each.score for each in measure_shifts(toy, batch, grid, detection, [8, -8, 16, 0])]
    assert others == pytest.approx([scores[0]] * 4, abs=1e-6)


def test_a_box_that_leaves_the_picture_is_compared_as_far_as_it_is_inside():
    torch.manual_seed(0)
    config = Config.from_flat({"inference.image_size": 128})
    batch = prepare([torch.zeros(3, 128, 128, dtype=torch.uint8)], config.inference)
    grid = make_batch_anchors(batch, config.anchors)
    box = torch.tensor([88.0, 48, 120, 80])
    toy = Toy(len(grid.boxes)).eval()
    half, leaves = measure_shifts(toy, batch, grid, (box, 0), [24, 28])  # 16 of 32 px are left, then 12
    left = iou_matrix(clip(grid.boxes, 128, 128), torch.tensor([[112.0, 48, 128, 80]]))[:, 0]
    logits = toy(batch.pixels).logits[0, :, 0]  # of the moved picture, too, which is all alike
    assert half.score == pytest.approx(logits[left >= 0.5].max().sigmoid().item())
    assert half.score > logits[left >= 0.5].min().sigmoid() and half.iou in left.tolist()
    assert math.isnan(leaves.score) and math.isnan(leaves.iou)


def test_shifts_go_where_there_is_room_and_are_few():
    batch = prepare([torch.zeros(3, 256, 256, dtype=torch.uint8)], Config().inference)
    right, left = torch.tensor([10.0, 0, 50, 40]), torch.tensor([200.0, 0, 250, 40])
    assert list_shifts(batch, right, 1) == list(range(17))
    assert list_shifts(batch, left, 0) == [0, -1, -2, -3, -4, -5, -6, -7, -8]
    assert list_shifts(batch, right, 4) == list(range(0, 129, 4))


def test_shifts_end_at_the_stride_of_the_network_where_anchors_stand_closer():
    batch = prepare(
        [torch.zeros(3, 160, 160, dtype=torch.uint8)], Config.from_flat({"inference.image_size": 160}).inference
    )
    assert make_batch_anchors(batch, Config().anchors).strides[4] == (80, 80)
    assert list_shifts(batch, torch.tensor([10.0, 0, 50, 40]), 4)[-1] == 128

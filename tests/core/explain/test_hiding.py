"""What is left of a prediction when its picture is hidden, and the two checks of a map by that."""

import pytest
import torch

from core.explain import hiding
from core.explain.deletion import AREAS, delete
from core.explain.evidence import find_evidence
from core.explain.hiding import put_out_of_focus, rate_hidden, smooth
from core.explain.maps import map_pixels
from core.explain.occlusion import draw_masks, map_occlusion
from core.explain.target import BOX
from tests.core.explain.toys import COLUMN, ROW, SIDE, make_subject, make_toy

SEEN = (slice(8 * (ROW - 1), 8 * (ROW + 2)), slice(8 * (COLUMN - 1), 8 * (COLUMN + 2)))  # pixels that the cell sees


@pytest.fixture(scope="module")
def subject():
    """A prediction whose logit rises with the detail of each pixel that it sees, and is 4 for the picture."""
    model, subject = make_toy(), make_subject(make_toy())
    evidence = find_evidence(subject._replace(model=model))
    detail = subject.pixels - put_out_of_focus(subject.pixels)
    # Every pixel that is seen helps: it is turned over where it hurts.
    turned = torch.where(detail[0] * evidence.pixel_gradient < 0, -1.0, 1.0)
    pixels = put_out_of_focus(subject.pixels) + detail * turned
    head = model.head["classification_head"].cls_logits
    with torch.no_grad():
        head.weight *= 30
        head.bias += 4 - model(pixels).logits[0, subject.target.anchor, 1]
    return subject._replace(model=model, pixels=pixels)


def hide(*places):
    hidden = torch.zeros(len(places), SIDE, SIDE)
    for row, place in zip(hidden, places, strict=True):
        row[place] = 1
    return hidden


def test_smoothing_keeps_constants_and_sums():
    assert smooth(torch.full((2, 9, 11), 0.3), 4.0).sub(0.3).abs().max() < 1e-6
    point = torch.zeros(1, 41, 51)
    point[0, 20, 25] = 1
    found = smooth(point, 3.0)[0]
    assert found.sum().item() == pytest.approx(1) and found.argmax().item() == 20 * 51 + 25
    rows, columns = found.sum(dim=1), found.sum(dim=0)
    assert (rows * (torch.arange(41) - 20) ** 2).sum().item() == pytest.approx(9, rel=0.05)
    assert (columns * (torch.arange(51) - 25) ** 2).sum().item() == pytest.approx(9, rel=0.05)


def test_nothing_hidden_is_the_score_and_what_is_not_seen_does_not_matter(subject):
    score = torch.tensor(4.0).sigmoid()
    far = (slice(64, None), slice(None))
    found = rate_hidden(subject, hide((slice(0), slice(0)), far, SEEN))
    torch.testing.assert_close(found[:2], score.expand(2))
    assert found[2] < 0.9 * score


def test_all_hidden_is_the_score_of_the_picture_out_of_focus(subject):
    blank = put_out_of_focus(subject.pixels)
    expected = subject.model(blank).logits[0, subject.target.anchor, 1].sigmoid()
    found = rate_hidden(subject, torch.ones(1, SIDE, SIDE))
    torch.testing.assert_close(found[0], expected)


def test_a_box_is_rated_by_its_overlap(subject):
    subject = subject._replace(target=subject.target._replace(part=BOX))
    nothing, seen = rate_hidden(subject, hide((slice(0), slice(0)), SEEN)).tolist()
    assert nothing == pytest.approx(1) and 0 <= seen < 1


def test_batches_do_not_matter(subject, monkeypatch):
    hidden = torch.rand(5, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    expected = rate_hidden(subject, hidden)
    monkeypatch.setattr(hiding, "BATCH", 2)
    torch.testing.assert_close(rate_hidden(subject, hidden), expected)


def test_masks_show_half_of_the_picture_on_average():
    masks = draw_masks(200, 50, 70, torch.Generator().manual_seed(0))
    assert masks.shape == (200, 50, 70) and masks.min() >= 0 and masks.max() <= 1
    assert masks.mean().item() == pytest.approx(0.5, abs=0.02)
    assert masks.mean(dim=0).sub(0.5).abs().max() < 0.2


@pytest.mark.slow
def test_random_masks_find_the_pixels_that_are_seen(subject):
    found = map_occlusion(subject, masks=300, seed=0)
    row, column = divmod(int(found.argmax()), SIDE)
    assert SEEN[0].start <= row < SEEN[0].stop and SEEN[1].start <= column < SEEN[1].stop
    assert found[SEEN].mean() > 4 * found.abs().mean()


def test_random_masks_follow_their_seed(subject):
    first, again, other = (map_occlusion(subject, masks=20, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_hiding_what_the_map_names_costs_more_than_hiding_at_random(subject):
    named = delete(subject, map_pixels(find_evidence(subject)), box_area=24**2)
    random = delete(subject, torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0)), box_area=24**2)
    assert named.left[0] == 1 and named.areas == AREAS
    assert named.left.diff().max() <= 0  # every hidden pixel costs
    assert named.area < random.area < 1


def test_deletion_hides_the_most_important_first(subject):
    importance = torch.zeros(SIDE, SIDE)
    importance[SEEN] = 1
    left = delete(subject, importance, box_area=24**2).left
    expected = rate_hidden(subject, hide(SEEN)) / torch.tensor(4.0).sigmoid()
    torch.testing.assert_close(left[-1:], expected)


def test_the_area_is_the_mean_of_what_is_left(subject):
    found = delete(subject, torch.zeros(SIDE, SIDE), box_area=0)  # nothing is ever hidden
    assert found.area == pytest.approx(1)

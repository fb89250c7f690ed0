"""Parts of pictures, and which objects they keep."""

import pytest
import torch

from core.training.augmentation.windows import Size, Window, cut_out, join, shift
from tests.core.training.augmentation.samples import assert_sound, equal, generator, make_sample

WHOLE = Window(0, 0, 60, 40)


def test_the_whole_is_the_sample_itself():
    sample = make_sample([[1, 2, 30, 20], [0, 0, 60, 40]])
    assert equal(cut_out(sample, WHOLE, Size(60, 40)), sample)


def test_a_part_by_hand():
    sample = make_sample([[0, 0, 40, 20], [0, 0, 14, 20], [30, 10, 40, 20], [50, 0, 60, 40]])
    part = cut_out(sample, Window(10, 5, 30, 30), Size(30, 30))
    assert torch.equal(part.image, sample.image[:, 5:35, 10:40])
    # Left of the boxes: 30·15 of 800, 4·15 of 280 (21%: dropped), all of 100, nothing.
    assert part.labels.tolist() == [0, 2]
    assert part.boxes.tolist() == [[0, 0, 30, 15], [20, 5, 30, 15]]


@pytest.mark.parametrize(("edge", "kept"), [(45, True), (46, False)])
def test_a_quarter_is_enough(edge, kept):
    """Of a box of 20 × 10, columns 40 to 60, a quarter is 5 columns: 40 to 45 are cut off, or 46."""
    sample = make_sample([[40, 0, 60, 10]])
    assert len(cut_out(sample, Window(edge + 10, 0, 60 - edge - 10, 40), Size(10, 10)).boxes) == kept


def test_a_part_is_resized_with_its_boxes():
    sample = make_sample([[10, 10, 30, 20]])
    part = cut_out(sample, Window(10, 0, 20, 20), Size(30, 10))
    assert part.image.shape == (3, 10, 30)
    assert part.boxes.tolist() == [[0, 5, 30, 10]]


def test_every_part_is_sound():
    rng = generator()
    for _ in range(200):
        corners = torch.rand(6, 2, 2, generator=rng).sort(dim=1).values * torch.tensor([60, 40])
        sample = make_sample(corners.reshape(-1, 4).tolist())
        left, top = int(torch.randint(0, 60, (1,), generator=rng)), int(torch.randint(0, 40, (1,), generator=rng))
        width, height = (int(torch.randint(1, side + 1, (1,), generator=rng)) for side in (60 - left, 40 - top))
        part = cut_out(sample, Window(left, top, width, height), Size(17, 23))
        assert_sound(part)
        kept = sample.boxes[part.labels]
        scale = 17 * 23 / (width * height)
        areas, before = ((each[:, 2:] - each[:, :2]).prod(dim=1) for each in (part.boxes, kept))
        assert (areas <= before * scale * (1 + 1e-4)).all() and (areas >= 0.25 * before * scale * (1 - 1e-4)).all()


def test_joined_boxes_keep_an_area():
    """One that rounding closes is dropped."""
    thin = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0)).item()
    sample = make_sample([[1, 0, thin, 1], [1, 0, 2, 1]])
    joined = join(sample.image, [shift(sample, 32, 0), make_sample([[0, 0, 9, 9]], image_id=7)])
    assert joined.boxes.tolist() == [[33, 0, 34, 1], [0, 0, 9, 9]]
    assert joined.labels.tolist() == [1, 0] and joined.image_id == 5

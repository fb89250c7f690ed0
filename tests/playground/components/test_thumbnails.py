"""Small pictures with boxes."""

import torch

from playground.components.thumbnails import MAX_BOXES, SIDE, Thumbnail, thumbnails
from tests.playground.canvas.test_canvas import decode


def test_a_picture_by_hand():
    image = torch.full((3, 200, 400), 90, dtype=torch.uint8)
    shown = thumbnails("all", [Thumbnail("<one>", image, torch.tensor([[1, 2, 30.25, 40], [0, 0, 400, 200]]))])
    assert 'role="group" aria-label="all"' in shown
    assert shown.count("<img") == 1 and 'alt="&lt;one&gt;"' in shown and "<one>" not in shown
    assert 'viewBox="0 0 400 200"' in shown
    assert shown.count('d="M1.0 2.0H30.2V40.0H1.0ZM0.0 0.0H400.0V200.0H0.0Z"') == 2  # dark, then bright
    assert decode(shown.split('src="')[1].split('"')[0]).shape == (SIDE // 2, SIDE, 3)


def test_without_pictures_or_boxes_nothing_is_drawn():
    assert "<img" not in thumbnails("none", [])
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    assert 'd=""' in thumbnails("empty", [Thumbnail("one", image, torch.zeros(0, 4))])


def test_the_number_of_boxes_is_bounded():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    shown = thumbnails("many", [Thumbnail("one", image, torch.rand(10_000, 4))])
    assert shown.count("Z") <= 2 * MAX_BOXES + image.numel()
    assert shown.split('d="')[1].split('"')[0].count("Z") == MAX_BOXES

import pytest
import torch
from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes

from core.config import Inference
from core.errors import PictureError
from core.retinanet.preprocess import IMAGENET_MEAN, IMAGENET_STD, prepare

INFERENCE = Inference(image_size=96, max_image_size=160)


def picture(height, width):
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8)


def reference(images, inference):
    transform = GeneralizedRCNNTransform(
        inference.image_size, inference.max_image_size, list(IMAGENET_MEAN), list(IMAGENET_STD)
    )
    return transform.eval()([image / 255 for image in images])[0]


@pytest.mark.parametrize(
    "shapes", [[(96, 96)], [(120, 77), (50, 200)], [(33, 47), (301, 299), (64, 1000)], [(1, 1)], [(1, 1), (2, 3)]]
)
def test_equals_torchvision_bit_for_bit(shapes):
    images = [picture(*shape) for shape in shapes]
    batch, expected = prepare(images, INFERENCE), reference(images, INFERENCE)
    assert torch.equal(batch.pixels, expected.tensors)
    assert batch.sizes == tuple(expected.image_sizes)
    assert batch.originals == tuple(shapes)


def test_sizes_follow_the_settings():
    batch = prepare([picture(48, 64), picture(40, 200)], INFERENCE)
    assert batch.sizes == ((96, 128), (32, 160))  # the second is limited by its longer side
    assert batch.pixels.shape == (2, 3, 96, 160)
    assert batch.pixels.dtype == torch.float32


def test_padding_is_zero_at_the_right_and_bottom():
    pixels = prepare([picture(48, 64), picture(40, 200)], INFERENCE).pixels
    assert not pixels[0, :, :, 128:].any()
    assert not pixels[1, :, 32:].any()
    assert pixels[0, :, :, :128].all()


def test_an_image_of_the_mean_colour_becomes_zero():
    grey = torch.tensor(IMAGENET_MEAN)[:, None, None].expand(3, 96, 96)
    assert prepare([grey], INFERENCE).pixels.abs().max() < 1e-6


def test_float_and_uint8_agree():
    image = picture(50, 70)
    assert torch.equal(prepare([image], INFERENCE).pixels, prepare([image / 255], INFERENCE).pixels)


def test_images_are_not_modified():
    image = torch.rand(3, 50, 70)
    before = image.clone()
    prepare([image], INFERENCE)
    assert torch.equal(image, before)


def test_factors_scale_boxes_back_as_in_torchvision():
    batch = prepare([picture(37, 61), picture(211, 90)], INFERENCE)
    boxes = torch.rand(20, 4) * 100
    for index in range(2):
        expected = resize_boxes(boxes, batch.sizes[index], batch.originals[index])
        assert torch.equal(boxes * batch.factors[index], expected)


def test_factors_by_hand():
    assert prepare([picture(48, 64)], INFERENCE).factors.tolist() == [[0.5, 0.5, 0.5, 0.5]]


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (3, 481)])
def test_vanishing_images_are_refused(shape):
    with pytest.raises(PictureError, match=r"too elongated.*160 px its .* raise inference\.max_image_size"):
        prepare([picture(*shape)], INFERENCE)


def test_a_side_of_one_pixel_is_enough():
    assert prepare([picture(3, 480)], INFERENCE).sizes == ((1, 160),)


@pytest.mark.parametrize(
    "image",
    [torch.zeros(1, 8, 8), torch.zeros(8, 8), torch.zeros(3, 0, 8), torch.zeros(3, 8, 8, dtype=torch.int64)],
)
def test_other_tensors_are_refused(image):
    with pytest.raises(ValueError, match="An image must be"):
        prepare([image], INFERENCE)


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="no image"):
        prepare([], INFERENCE)

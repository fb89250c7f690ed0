"""From images to detections: preprocessing → network → post-processing, in parts that can be cached.

If the settings say so, a large image is also seen in tiles (`core.retinanet.tiles`), and each image mirrored and in
other sizes (`core.retinanet.views`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Anchors, Config, Inference
from core.retinanet.anchors import AnchorGrid, make_anchors
from core.retinanet.boxes import clip
from core.retinanet.model import Outputs, RetinaNet
from core.retinanet.postprocess import Candidates, concatenate_candidates, select_candidates, select_detections
from core.retinanet.precision import compute_in
from core.retinanet.preprocess import Batch, concatenate, prepare
from core.retinanet.tiles import EDGE, Tile, crop, find_cut, join, make_tiles, place, select
from core.retinanet.views import Frame, View, join_views, make_views, map_back, settings_of, show
from core.structures import Detections

TILE_BATCH = 8  # tiles per forward pass, which bounds memory
MAX_BATCH_PIXELS = 4 * 800 * 1344  # of images in a forward pass, which bounds memory, too: four of COCO's usual size


class Prediction(NamedTuple):
    """A batch and the outputs of the network for it, before post-processing."""

    batch: Batch
    outputs: Outputs


def predict(model: RetinaNet, images: Sequence[Tensor], config: Config) -> Prediction:
    """Runs the network on images, all in one batch.

    Args:
        model: The network; set to evaluation mode.
        images: Images, uint8 [3, H, W], on any device.
        config: Its `inference` section is used.

    Raises:
        PictureError: An image cannot be processed, see `core.retinanet.preprocess.prepare`.
    """
    return _run(model, prepare(_to_device(images, model), config.inference), config.inference)


def _to_device(images: Sequence[Tensor], model: RetinaNet) -> list[Tensor]:
    device = next(model.parameters()).device
    return [image.to(device) for image in images]


@torch.inference_mode()
def _run(model: RetinaNet, batch: Batch, inference: Inference) -> Prediction:
    with compute_in(inference.precision, batch.pixels.device):
        outputs = model.eval()(batch.pixels)
    return Prediction(batch, outputs._replace(logits=outputs.logits.float(), deltas=outputs.deltas.float()))


def make_batch_anchors(batch: Batch, anchors: Anchors) -> AnchorGrid:
    """Returns the anchors of a batch."""
    return make_anchors(anchors, *batch.pixels.shape[-2:])


def extract_candidates(prediction: Prediction, index: int, config: Config) -> Candidates:
    """Returns the candidates that enter NMS, of image `index` of a batch."""
    outputs, batch = prediction.outputs, prediction.batch
    grid = make_batch_anchors(batch, config.anchors)
    return select_candidates(outputs.logits[index], outputs.deltas[index], grid, batch.sizes[index], config.inference)


class Merged(NamedTuple):
    """The candidates of an image and of its tiles, with boxes in pixels of the resized whole image.

    Attributes:
        candidates: The candidates that enter NMS: those of the whole image, then those of each tile.
        cut: Candidates of tiles that are left out, because another tile shows their object better; None without tiles.
    """

    candidates: Candidates
    cut: Candidates | None = None


def predict_tiles(model: RetinaNet, image: Tensor, tiles: Sequence[Tile], config: Config) -> Iterator[Prediction]:
    """Runs the network on the tiles of an image, each like an image of its own; yields batches in order."""
    for start in range(0, len(tiles), TILE_BATCH):
        yield predict(model, [crop(image, tile) for tile in tiles[start : start + TILE_BATCH]], config)


def merge_tiles(
    whole: Prediction, parts: Iterable[Prediction], tiles: Sequence[Tile], config: Config, *, index: int = 0
) -> Merged:
    """Returns the candidates of an image that is seen whole and in tiles.

    Args:
        whole: The prediction for the whole image.
        parts: Those for its tiles, in order (`predict_tiles`).
        tiles: The tiles, at least one.
        config: All settings.
        index: Index of the image in the batch of the prediction for it.
    """
    factors, size = whole.batch.factors[index], whole.batch.originals[index]
    kept, cut = [], []
    numbers = iter(range(len(tiles)))
    for part in parts:
        grid = make_batch_anchors(part.batch, config.anchors)
        for row, own_factors in enumerate(part.batch.factors):
            number = next(numbers)
            logits, deltas = part.outputs.logits[row], part.outputs.deltas[row]
            found = select_candidates(logits, deltas, grid, part.batch.sizes[row], config.inference)
            found = place(found, number, tiles[number], own_factors, factors)
            margin = (EDGE * own_factors[0].item(), EDGE * own_factors[1].item())
            lost = find_cut(found.box * factors, tiles[number], tiles, size, margin)
            kept.append(select(found, ~lost))
            cut.append(select(found, lost))
    candidates = join(extract_candidates(whole, index, config), kept)
    return Merged(candidates, concatenate_candidates(cut))


def detect(model: RetinaNet, images: Sequence[Tensor], config: Config) -> list[Detections]:
    """Returns the detections in each image, best first, in its original pixels, on the CPU; arguments as `predict`.

    An image that is larger than `inference.tile_size` is seen once whole and in tiles; all of that once for each view.

    Raises:
        PictureError: An image cannot be processed, see `core.retinanet.preprocess.prepare`, or has too many tiles.
    """
    found: dict[int, Detections] = {}
    for numbers, prediction in predict_by_shape(model, images, config):
        alike = [images[number] for number in numbers]
        found |= zip(numbers, detect_from(prediction, model, alike, config), strict=True)
    return [found[number] for number in range(len(images))]


def predict_by_shape(
    model: RetinaNet, images: Sequence[Tensor], config: Config
) -> Iterator[tuple[tuple[int, ...], Prediction]]:
    """Runs the network on images, those that are padded to the same shape in one batch; arguments as `predict`.

    Padding an image to the size of a larger one takes time and changes the predictions, because the outputs of
    convolutions on a wide border of zeros are not zero. Large images are split over several batches.

    Yields:
        The numbers of the images of a batch, from 0, and the prediction for them.

    Raises:
        PictureError: An image cannot be processed, see `core.retinanet.preprocess.prepare`.
    """
    batches_by_shape: dict[torch.Size, dict[int, Batch]] = {}
    for number, image in enumerate(_to_device(images, model)):
        batch = prepare([image], config.inference)
        batches_by_shape.setdefault(batch.pixels.shape, {})[number] = batch
    for (*_, height, width), batches in batches_by_shape.items():
        numbers, most = tuple(batches), max(1, MAX_BATCH_PIXELS // (height * width))
        for some in (numbers[start : start + most] for start in range(0, len(numbers), most)):
            yield some, _run(model, concatenate([batches[number] for number in some]), config.inference)


def detect_from(prediction: Prediction, model: RetinaNet, images: Sequence[Tensor], config: Config) -> list[Detections]:
    """Returns the detections in each image of a batch, as `detect` does; the network sees only tiles and other views.

    Args:
        prediction: What the network predicts for the images as a whole.
        model: The network.
        images: The images of the batch, in order.
        config: All settings.

    Raises:
        PictureError: An image has too many tiles.
    """
    gathered = gather_candidates(prediction, model, images, config)
    factors = prediction.batch.factors
    return [to_detections(each, factors[index], config) for index, each in enumerate(gathered)]


def gather_candidates(
    prediction: Prediction, model: RetinaNet, images: Sequence[Tensor], config: Config
) -> list[Candidates]:
    """Returns the candidates that enter NMS for each image of a batch, of all its views and tiles, as `detect_from`."""
    seen = [[_find_candidates(prediction, index, model, image, config)] for index, image in enumerate(images)]
    for view in make_views(config.inference)[1:]:
        for index, found in _see_again(prediction.batch, model, images, view, config):
            seen[index].append(found)
    return [join_views(each) for each in seen]


def _find_candidates(prediction: Prediction, index: int, model: RetinaNet, image: Tensor, config: Config) -> Candidates:
    """Returns the candidates of an image of a batch and of its tiles, in one view."""
    tiles = make_tiles(*prediction.batch.originals[index], config.inference)
    if not tiles:
        return extract_candidates(prediction, index, config)
    parts = predict_tiles(model, image, tiles, config)
    return merge_tiles(prediction, parts, tiles, config, index=index).candidates


def _see_again(
    plain: Batch, model: RetinaNet, images: Sequence[Tensor], view: View, config: Config
) -> Iterator[tuple[int, Candidates]]:
    """Yields the number of each image of a batch, in any order, with its candidates in another view, mapped back."""
    own = settings_of(view, config)
    shown = [show(image, view) for image in images]
    for numbers, prediction in predict_by_shape(model, shown, own):
        for row, number in enumerate(numbers):
            found = _find_candidates(prediction, row, model, shown[number], own)
            yield number, map_candidates(found, view, (prediction.batch, row), (plain, number))


def map_candidates(found: Candidates, view: View, own: tuple[Batch, int], plain: tuple[Batch, int]) -> Candidates:
    """Returns the candidates of a view with boxes in pixels of the plain resized image, clipped to it.

    Args:
        found: The candidates, with boxes in pixels of the resized view.
        view: The view.
        own: A batch with the image as the view shows it, and its index there.
        plain: A batch with the image as it is, and its index there.
    """
    box = map_back(found.box, view, make_frame(*own), make_frame(*plain))
    batch, index = plain
    return found._replace(box=clip(box, *batch.sizes[index]))


def make_frame(batch: Batch, index: int) -> Frame:
    """Returns the coordinates of the boxes of an image of a batch."""
    return Frame(batch.factors[index], batch.originals[index][1])


def extract_detections(prediction: Prediction, config: Config) -> list[Detections]:
    """Returns the detections in each image of a batch, as `detect` does without tiles and other views."""
    return [
        to_detections(extract_candidates(prediction, index, config), factors, config)
        for index, factors in enumerate(prediction.batch.factors)
    ]


def to_detections(candidates: Candidates, factors: Tensor, config: Config) -> Detections:
    """Returns what NMS and the cap leave of the candidates of an image, best first, on the CPU.

    Args:
        candidates: The candidates that enter NMS, with boxes in pixels of the resized image.
        factors: [4], by which these are scaled to the original image.
        config: All settings.
    """
    order, score, box = select_detections(candidates, config.inference)
    detections = Detections(box[order] * factors, score[order], candidates.label[order])
    return Detections(*(tensor.cpu() for tensor in detections))

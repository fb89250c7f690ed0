"""Tiles cover the picture, what is found in one is what is found in that part alone, and cut objects are no boxes."""

import pytest
import torch

from core.config import Config, ConfigError, Inference
from core.errors import PictureError
from core.retinanet import predict
from core.retinanet.postprocess import Candidates, apply_nms, find_suppressors
from core.retinanet.predict import TILE_BATCH, detect, merge_tiles, predict_tiles
from core.retinanet.tiles import MAX_TILES, WHOLE, Tile, crop, find_cut, join, make_tiles, place
from tests.core.retinanet.test_predict import CONFIG, model, pictures, same  # noqa: F401 (a fixture)

TILED = CONFIG.replace({"inference.tile_size": 64, "inference.tile_overlap": 0.25})


def tiles(height: int, width: int, side: int, overlap: float = 0.2) -> tuple[Tile, ...]:
    return make_tiles(height, width, Inference(tile_size=side, tile_overlap=overlap))


def test_tiles_by_hand():
    assert tiles(100, 250, 100) == ((0, 0, 100, 100), (75, 0, 175, 100), (150, 0, 250, 100))
    assert tiles(80, 180, 100) == ((0, 0, 100, 80), (80, 0, 180, 80))  # lower than a tile
    assert tiles(128, 128, 64, 0) == ((0, 0, 64, 64), (64, 0, 128, 64), (0, 64, 64, 128), (64, 64, 128, 128))
    assert tiles(64, 65, 64, 0.5) == ((0, 0, 64, 64), (1, 0, 65, 64))


def test_a_picture_that_fits_into_one_tile_has_none():
    assert tiles(100, 100, 100) == tiles(40, 99, 100) == tiles(3000, 4000, 0) == ()
    assert tiles(100, 101, 100) and tiles(101, 100, 100)


@pytest.mark.parametrize("overlap", [0, 0.2, 0.35, 0.5])
def test_tiles_cover_every_pixel_are_alike_and_overlap_enough(overlap):
    dice = torch.Generator().manual_seed(0)
    for height, width, side in torch.randint(32, 400, (60, 3), generator=dice).tolist():
        found = tiles(height, width, side, overlap)
        seen = torch.zeros(height, width)
        for x1, y1, x2, y2 in found:
            assert (y2 - y1, x2 - x1) == (min(side, height), min(side, width))
            seen[y1:y2, x1:x2] += 1
        assert bool(seen.all()) == bool(found) == (max(height, width) > side)
        rows = {(each.x1, each.x2) for each in found}
        for (_, end), (start, _) in zip(sorted(rows), sorted(rows)[1:], strict=False):
            assert end - start >= int(overlap * side)


def test_too_many_tiles_and_too_small_ones_are_refused():
    with pytest.raises(PictureError, match=r"8000×6000 px has 47,000 tiles of 32 px, more than 10,000"):
        tiles(6000, 8000, 32, 0)
    assert len(tiles(3200, 3200, 32, 0)) == MAX_TILES
    with pytest.raises(ConfigError, match=r"tile_size = 31 is not allowed: it must be 0, .* or at least 32 px"):
        Config.from_flat({"inference.tile_size": 31})


def found(boxes: list, scores: list) -> Candidates:
    index = torch.arange(len(boxes))
    return Candidates(0 * index, index, 0 * index, torch.tensor(scores), torch.tensor(boxes, dtype=torch.float32))


def test_boxes_of_a_tile_are_placed_in_the_whole_picture_by_hand():
    # The tile is resized by 2, the whole picture by 1/4.
    tile, placed = Tile(80, 40, 180, 140), found([[20, 40, 60, 80]], [0.9])
    placed = place(placed, 3, tile, torch.full((4,), 0.5), torch.full((4,), 4.0))
    assert placed.box.tolist() == [[22.5, 15, 27.5, 20]]  # 90, 60, 110, 80 in the original
    assert placed.tile.tolist() == [3]


def test_candidates_of_all_views_are_merged_by_one_nms():
    whole = found([[0, 0, 10, 10], [50, 50, 60, 60]], [0.6, 0.8])
    part = found([[0, 0, 10, 9], [80, 80, 90, 90]], [0.9, 0.3])._replace(tile=torch.tensor([2, 2]))
    merged = join(whole, [part])
    assert merged.tile.tolist() == [WHOLE, WHOLE, 2, 2]
    inference = Inference()
    fates = apply_nms(merged, inference)
    assert fates.order.tolist() == [2, 1, 3]
    assert find_suppressors(merged, fates, inference).candidate.tolist() == [2, -1, -1, -1]  # across tiles


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ([10, 10, 30, 30], False),  # inside
        ([0, 10, 30, 30], False),  # at the picture's border
        ([85, 10, 100, 30], True),  # cut, and whole in the next tile
        ([85, 10, 99, 30], True),  # nearly at the edge
        ([85, 10, 97, 30], False),  # not at the edge, and whole in both
        ([60, 10, 100, 30], False),  # cut, but wider than the overlap: no tile has more of it
        ([80, 10, 100, 30], False),  # at an inner edge of both
    ],
)
def test_boxes_at_inner_edges_by_hand(box, cut):
    """Two tiles of 100 px: 0–100 and 80–180."""
    every = tiles(100, 180, 100)
    lost = find_cut(torch.tensor([box], dtype=torch.float32), every[0], every, (100, 180), (2, 2))
    assert lost.tolist() == [cut]


@pytest.mark.slow
def test_a_tile_is_seen_like_a_picture_of_its_own(model):  # noqa: F811
    (image,) = pictures((150, 200))
    every = make_tiles(150, 200, TILED.inference)
    parts = predict_tiles(model, image, every, TILED)
    for tile, outputs in zip(every, (each for part in parts for each in part.outputs.logits), strict=True):
        alone = predict.predict(model, [crop(image, tile)], CONFIG)
        assert torch.allclose(outputs, alone.outputs.logits[0], atol=1e-4)


def test_what_one_tile_finds_is_what_its_part_of_the_picture_finds(model):  # noqa: F811
    (image,) = pictures((96, 64))  # two tiles; with tiles of the network's size nothing is resized
    every = make_tiles(96, 64, TILED.inference)
    assert every == ((0, 0, 64, 64), (0, 32, 64, 96))
    whole = predict.predict(model, [image], TILED)
    merged = merge_tiles(whole, predict_tiles(model, image, every, TILED), every, TILED)
    both = join(merged.candidates._replace(tile=None), [merged.cut])
    numbers = torch.cat([merged.candidates.tile, merged.cut.tile])
    for number, tile in enumerate(every):
        alone = predict.extract_candidates(predict.predict(model, [crop(image, tile)], CONFIG), 0, CONFIG)
        mine = both.score[numbers == number].sort().values
        assert torch.allclose(mine, alone.score.sort().values, atol=1e-5)
        lowest = (both.box[numbers == number] * whole.batch.factors[0])[:, 1].min()
        assert lowest >= tile.y1 - 1e-3
    assert len(merged.cut.score) and set(merged.candidates.tile.tolist()) == {WHOLE, 0, 1}


@pytest.mark.slow
def test_without_tiles_nothing_changes(model):  # noqa: F811
    images = pictures((60, 80), (64, 64), (30, 90))
    expected = detect(model, images, CONFIG)
    for settings in ({"inference.tile_overlap": 0.5}, {"inference.tile_size": 90}):
        for mine, other in zip(detect(model, images, CONFIG.replace(settings)), expected, strict=True):
            assert all(torch.equal(first, second) for first, second in zip(mine, other, strict=True))


@pytest.mark.slow
def test_large_and_small_images_in_one_call_keep_their_order(model):  # noqa: F811
    images = pictures((60, 60), (100, 150), (64, 64))
    same(detect(model, images, TILED), [detect(model, [image], TILED)[0] for image in images])


@pytest.mark.slow
def test_the_network_sees_few_tiles_at_a_time(model):  # noqa: F811
    batches = []
    handle = model.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    (image,) = pictures((200, 300))
    detect(model, [image], TILED)
    handle.remove()
    assert batches == [1, 8, 8, 8] and len(make_tiles(200, 300, TILED.inference)) == 24
    assert max(batches) == TILE_BATCH


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["hard", "soft", "diou", "wbf"])
def test_the_cap_holds_for_all_tiles_together(model, kind):  # noqa: F811
    (image,) = pictures((150, 200))
    few = TILED.replace({"inference.max_detections": 7, "inference.nms_kind": kind})
    (detections,) = detect(model, [image], few)
    assert len(detections.scores) == 7 and detections.scores.equal(detections.scores.sort(descending=True).values)

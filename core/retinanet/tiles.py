"""Tiles of large pictures: their layout, and merging of their candidates with those of the whole picture.

Boxes of an object that an inner edge of a tile cuts describe a part of it, so they are dropped where another view has
all of what the tile shows of it (`find_cut`).
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Inference
from core.errors import PictureError
from core.retinanet.postprocess import Candidates, concatenate_candidates

WHOLE = -1  # the "tile" of boxes that are found in the whole picture
MAX_TILES = 10_000  # of a picture; each takes about as long as a small picture
EDGE = 4  # px of the network's input: a box this close to an edge touches it


class Tile(NamedTuple):
    """A part of a picture: x1, y1, x2, y2 in pixels, the right and lower edges one past the last pixel."""

    x1: int
    y1: int
    x2: int
    y2: int


def is_tiled(height: int, width: int, inference: Inference) -> bool:
    """Returns True if a picture is larger than the tiles of the settings, and there are any."""
    return 0 < inference.tile_size < max(height, width)


def make_tiles(height: int, width: int, inference: Inference) -> tuple[Tile, ...]:
    """Returns the tiles of a picture, row by row; none if it is seen whole only, since it fits into one.

    All tiles have the same size. They are spread evenly, the first and the last at the picture's borders, as few as the
    overlap allows, which may therefore be larger. A picture that is narrower than a tile has tiles of its own width.

    Raises:
        PictureError: There would be more than `MAX_TILES`.
    """
    side = inference.tile_size
    if not is_tiled(height, width, inference):
        return ()
    step = max(1, math.floor(side * (1 - inference.tile_overlap)))
    rows, columns = (1 + max(0, math.ceil((length - side) / step)) for length in (height, width))
    if rows * columns > MAX_TILES:
        raise PictureError(
            f"A picture of {width}×{height} px has {rows * columns:,} tiles of {side} px, more than {MAX_TILES:,}: "
            "raise inference.tile_size, or set it to 0 for the whole picture only."
        )
    tops, lefts = _spread(height, side, rows), _spread(width, side, columns)
    return tuple(
        Tile(left, top, min(left + side, width), min(top + side, height))
        for top, left in itertools.product(tops, lefts)
    )


def _spread(length: int, side: int, count: int) -> list[int]:
    """Returns where `count` tiles begin along a side of a picture."""
    last = max(0, length - side)
    return [last * number // max(1, count - 1) for number in range(count)]


def crop(image: Tensor, tile: Tile) -> Tensor:
    """Returns a view of a tile of an image [3, H, W]."""
    return image[:, tile.y1 : tile.y2, tile.x1 : tile.x2]


def place(found: Candidates, number: int, tile: Tile, factors: Tensor, whole_factors: Tensor) -> Candidates:
    """Returns the candidates of a tile with boxes in pixels of the resized whole picture.

    Args:
        found: The candidates, with boxes in pixels of the resized tile.
        number: Index of the tile.
        tile: The tile.
        factors: [4], by which boxes of the resized tile are scaled to the original picture.
        whole_factors: [4], the same for the whole picture.
    """
    box = place_boxes(found.box, tile, factors, whole_factors)
    return found._replace(box=box, tile=torch.full_like(found.anchor, number))


def place_boxes(boxes: Tensor, tile: Tile, factors: Tensor, whole_factors: Tensor) -> Tensor:
    """Converts boxes […, 4] from pixels of the resized tile to those of the whole picture; arguments as `place`."""
    corner = factors.new_tensor([tile.x1, tile.y1, tile.x1, tile.y1])
    return (boxes * factors + corner) / whole_factors


def find_cut(
    boxes: Tensor, tile: Tile, tiles: Sequence[Tile], size: tuple[int, int], margin: tuple[float, float]
) -> Tensor:
    """Returns which boxes of a tile show a part of an object that another tile shows better, bool [C].

    Such a box touches an inner edge of its tile, which may cut its object, and lies in another tile without touching
    any of that one's. A box that no tile holds is kept: its object is larger than the overlap, or the tiles do not
    overlap.

    Args:
        boxes: [C, 4] in pixels of the original picture.
        tile: The tile in which they were found.
        tiles: All tiles of the picture.
        size: (height, width) of the original picture.
        margin: (x, y): boxes that are at most this close to an edge touch it, px of the original picture.
    """
    inner = _inner_edges(tiles, size, margin).to(boxes.device)  # [T, 4]
    own = inner[tiles.index(tile)]
    touching = torch.nonzero(~_hold(own[None], boxes).squeeze(1)).squeeze(1)
    cut = torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    cut[touching] = _hold(inner, boxes[touching]).any(dim=1)
    return cut


def _inner_edges(tiles: Sequence[Tile], size: tuple[int, int], margin: tuple[float, float]) -> Tensor:
    """Returns the area of each tile within which boxes touch no inner edge, [T, 4]; it has no end at the borders."""
    (height, width), (x, y) = size, margin
    return torch.tensor(
        [
            (
                each.x1 + x if each.x1 > 0 else -math.inf,
                each.y1 + y if each.y1 > 0 else -math.inf,
                each.x2 - x if each.x2 < width else math.inf,
                each.y2 - y if each.y2 < height else math.inf,
            )
            for each in tiles
        ]
    )


def _hold(areas: Tensor, boxes: Tensor) -> Tensor:
    """Returns which areas [T, 4] hold which boxes [C, 4], bool [C, T]."""
    upper_left = boxes[:, None, :2] > areas[None, :, :2]
    lower_right = boxes[:, None, 2:] < areas[None, :, 2:]
    return upper_left.all(dim=2) & lower_right.all(dim=2)


def join(whole: Candidates, parts: Sequence[Candidates]) -> Candidates:
    """Returns the candidates of the whole picture and then those of its tiles, as one."""
    whole = whole._replace(tile=torch.full_like(whole.anchor, WHOLE))
    return concatenate_candidates([whole, *parts])


def select(found: Candidates, chosen: Tensor) -> Candidates:
    """Returns the chosen candidates of a tile, given by a mask or by indices."""
    return Candidates(**{name: tensor[chosen] for name, tensor in found._asdict().items() if tensor is not None})

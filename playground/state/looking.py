"""What the present weights find in the pictures of an album, one after another, as far as time allows."""

import time
from collections.abc import Iterable, Iterator
from functools import partial

from core.config import Config
from playground.albums.album import ALL, Album
from playground.data.image_ref import ImageRef
from playground.data.picture import key_in_album
from playground.data.sources import open_picture
from playground.pipeline.proposals import PictureSummary, is_summarised, summarise


def look_at(
    album: Album, indices: Iterable[int], config: Config, visitor: str, *, seconds: float
) -> Iterator[tuple[int, PictureSummary]]:
    """Yields the index and the summary of pictures, in order, up to the first for which there is no time.

    Args:
        album: The album.
        indices: Those of the pictures.
        config: The settings with the weights.
        visitor: Who looks at them.
        seconds: After these, only pictures that were looked at before are yielded.
    """
    end = time.monotonic() + seconds
    for index in indices:
        key = key_in_album(album, index)
        if time.monotonic() > end and not is_summarised(key, config):
            return
        image_ref = ImageRef(album.key, ALL, index)
        yield index, summarise(key, config, partial(open_picture, image_ref, config.scenes, visitor))

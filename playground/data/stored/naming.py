"""The names of data sets in the library."""

import re
from collections.abc import Iterable

from core.io.paths import is_portable
from playground.albums.album import is_album_key
from playground.data.image_ref import PHOTOGRAPHS, SCENES, UPLOAD

RESERVED = (SCENES, PHOTOGRAPHS, UPLOAD)  # sources that are no data sets
MAX_NAME = 40  # characters


def choose_name(title: str, taken: Iterable[str]) -> str:
    """Returns a name for a data set, which is a plain file name that resembles its title.

    Args:
        title: The name of the uploaded file or of the folder; not trusted.
        taken: Names that others have; names that differ only in case count as the same.
    """
    stem = re.sub(r"\.zip$", "", title, flags=re.IGNORECASE)
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:MAX_NAME] or "data"
    known = {*RESERVED, *(name.lower() for name in taken)}
    names = (safe if number == 1 else f"{safe}-{number}" for number in range(1, len(known) + 4))
    free = (name for name in names if name.lower() not in known and is_portable(name))
    return next(name for name in free if not is_album_key(name.lower()))

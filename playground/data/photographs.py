"""Photographs among the examples: those that scikit-image ships, if it is installed; all may be used freely."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from core.data.untrusted import DataError
from playground.data.picture import Picture, open_upload

INSTALL = "pip install -r requirements-photographs.txt"


class Photograph(NamedTuple):
    """A photograph.

    Attributes:
        file: Its name in scikit-image's data.
        title: What it shows.
        source: Who took or published it.
        licence: The terms on which it may be used.
    """

    file: str
    title: str
    source: str
    licence: str

    @property
    def credit(self) -> str:
        """Title, source and licence in a line."""
        return f"Photograph: {self.title}. {self.source}; {self.licence}. From scikit-image's data."


CC0 = "CC0 1.0 (no rights reserved)"
# Only files inside the wheel whose documentation in scikit-image names a free licence.
PHOTOGRAPHS = (
    Photograph("astronaut.png", "Astronaut Eileen Collins", "NASA Great Images", "public domain"),
    Photograph("chelsea.png", "Chelsea the cat", "Stéfan van der Walt", CC0),
    Photograph("coffee.png", "Coffee cup", "Rachel Michetti, courtesy of Pikolo Espresso Bar", CC0),
    Photograph("camera.png", "Photographer with a camera", "Lav Varshney", CC0),
    Photograph("rocket.jpg", "Launch of a Falcon 9", "SpaceX Photos", "public domain"),
)


@cache
def find_photographs() -> tuple[tuple[Photograph, Path], ...]:
    """Returns the photographs that are here, with their files; scikit-image itself is not imported."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        return ()
    folder = Path(package.origin).parent / "data"
    return tuple((each, folder / each.file) for each in PHOTOGRAPHS if (folder / each.file).is_file())


def open_photograph(index: int) -> Picture:
    """Opens a photograph, which has no objects.

    Args:
        index: Its index among those that are here.

    Raises:
        DataError: There is none with this index.
    """
    found = find_photographs()
    if not found:
        raise DataError(f"The photographs are not installed here: {INSTALL}.")
    if not 0 <= index < len(found):
        raise DataError(f"There is no photograph {index + 1}, only {len(found)}: choose another one.")
    photograph, file = found[index]
    return open_upload(str(file), photograph.title, ())


def describe_photograph(index: int) -> str:
    """Returns title, source and licence of a photograph, "" if there is none with this index."""
    found = find_photographs()
    return found[index][0].credit if 0 <= index < len(found) else ""

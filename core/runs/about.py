"""The description of a training run, apart from its settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.data.left_out import DESCRIPTIONS, LeftOut
from core.io.text import is_text
from core.weights.weights import ON_DATA_SET, ON_SCENES

RANGE_TEST = "learning-rate finder"
ABOUT_KEYS = {"variant": "arm"}  # keys of `about.json` that differ from the names of `About`


class About(NamedTuple):
    """The description of a run, apart from its settings.

    Attributes:
        source: "scenes", or the folder of a data set.
        created: Unix time in seconds.
        group: Name shared by the runs of one comparison; "" for a single run.
        preset: Key of the comparison in `core.experiments.presets.PRESETS`.
        variant: Name of the variant in the comparison, "arm" in the file.
        owner: The visitor of the page who started the run; "" for runs without an owner.
        format: The key of the data set's annotation format; "" to detect it.
        strict: Whether pictures and boxes that cannot be used are an error, rather than left out.
        reading: How the annotations were read, as sentences for people.
        left_out: What could not be used of the data set so far.
        recipe: Key of the recipe in `core.experiments.recipes.RECIPES` that the settings were chosen with; "" for none.
        pictures: Changes with the pictures that it trains on, see `FolderData.digest`; several after it was resumed
            with others, "" for rendered scenes.
        weights: What is assumed and to be known of the initial weights, see `core.weights.assumptions.to_record`.
        classes: The names of its classes, in order.
        range_test: True for a test of learning rates, see `core.runs.range_test`, which keeps no weights.
    """

    source: str = ON_SCENES
    created: float = 0.0
    group: str = ""
    preset: str = ""
    variant: str = ""
    owner: str = ""
    format: str = ""
    strict: bool = False
    reading: str = ""
    left_out: LeftOut = LeftOut()
    recipe: str = ""
    pictures: str = ""
    weights: Mapping[str, Any] = {}
    classes: tuple[str, ...] = ()
    range_test: bool = False

    @property
    def title(self) -> str:
        """What it is, in a few words: the variant of a comparison, or a test of learning rates; "" for other runs."""
        return RANGE_TEST if self.range_test else self.variant

    @property
    def trained_on(self) -> str:
        """The pictures that it trains on, as in `Weights`; without the folder's path, since the file may be shared."""
        return ON_SCENES if self.source == ON_SCENES else f"{ON_DATA_SET}{Path(self.source).resolve().name}"

    def with_pictures(self, digest: str) -> "About":
        """Returns the description of a run that now trains on the pictures of this digest, too."""
        return self._replace(pictures=" ".join(dict.fromkeys([*self.pictures.split(), digest])).strip())

    def to_dict(self) -> dict[str, Any]:
        """Converts the description for JSON."""
        values = {ABOUT_KEYS.get(name, name): value for name, value in self._asdict().items()}
        return {**values, "left_out": self.left_out.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "About":
        """Reverses `to_dict`; missing values and those of another type are replaced by their defaults."""
        default = cls()
        found: dict[str, Any] = {name: values.get(ABOUT_KEYS.get(name, name)) for name in cls._fields}
        found["left_out"] = _read_left_out(found["left_out"])
        names = found["classes"]
        found["classes"] = tuple(names) if isinstance(names, list) and all(map(is_text, names)) else ()
        return cls(**{key: value for key, value in found.items() if type(value) is type(getattr(default, key))})


def _read_left_out(values: object) -> LeftOut:
    """Reads what `LeftOut.to_dict` returned, as far as it is valid."""
    try:
        counts, examples = LeftOut.from_dict(values) if isinstance(values, dict) else LeftOut()
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return LeftOut()
    kinds = [kind for kind in counts if kind in DESCRIPTIONS and examples.get(kind)]
    return LeftOut({kind: counts[kind] for kind in kinds}, {kind: examples[kind] for kind in kinds})

"""The configuration: seven frozen sections, and its exact round trips (dictionary, JSON, link, flat paths)."""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError, model_validator

from core.config.anchors import Anchors, Matching
from core.config.inference import Inference
from core.config.knob import ConfigError, Effect, Knob, Section, explain, knobs_of
from core.config.loss import Loss
from core.config.model import ALL_STAGES, Model
from core.config.scenes import Scenes
from core.config.training import Training

MAX_TEXT = 100_000  # characters of JSON or query that are read at all


class Config(Section):
    """Every hyperparameter, by section. Frozen; equal configurations hash alike."""

    model: Model = Model()
    anchors: Anchors = Anchors()
    matching: Matching = Matching()
    loss: Loss = Loss()
    inference: Inference = Inference()
    training: Training = Training()
    scenes: Scenes = Scenes()

    @model_validator(mode="after")
    def _kept_features_stay_true(self) -> Self:
        if not self.training.cache_features:
            return self
        kept = f"training.cache_features ({self.training.cache_features} MB) is for"
        off = "or training.cache_features to 0"
        if self.model.freeze_stages < ALL_STAGES:
            raise ValueError(f"{kept} a body that does not train: set model.freeze_stages to {ALL_STAGES}, {off}.")
        for name in ("scale_jitter", "crop_probability", "colour_jitter", "noise_jitter"):
            if value := getattr(self.training, name):
                raise ValueError(
                    f"{kept} pictures that come again unchanged, but training.{name} is {value:g}: "
                    f"set that to 0, {off}."
                )
        return self

    @classmethod
    def from_dict(cls, values: dict[str, dict[str, Any]]) -> Self:
        """Reads nested settings; what is not named keeps its default.

        Raises:
            ConfigError: A value is out of range, unknown or contradicts another.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise explain(error, knobs()) from None

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Returns nested plain values, lists for tuples, as JSON holds them."""
        return self.model_dump(mode="json")

    @classmethod
    def from_flat(cls, values: dict[str, Any]) -> Self:
        """Reads settings by path, {"loss.gamma": 1}; raises `ConfigError` as `from_dict`."""
        return cls.from_dict(nested(values))

    def to_flat(self) -> dict[str, Any]:
        """Returns every value by path, in declared order."""
        return {path: getattr(getattr(self, knob.section), knob.name) for path, knob in knobs().items()}

    def replace(self, values: dict[str, Any]) -> Self:
        """Returns this configuration with some paths changed, validated; raises `ConfigError` as `from_dict`."""
        return self.from_flat({**self.chosen(), **values})

    def chosen(self) -> dict[str, Any]:
        """Returns by path what was set explicitly, even to its default."""
        return {
            path: getattr(getattr(self, knob.section), knob.name)
            for path, knob in knobs().items()
            if knob.section in self.model_fields_set and knob.name in getattr(self, knob.section).model_fields_set
        }

    def changed(self) -> dict[str, Any]:
        """Returns by path what differs from the defaults."""
        return {path: value for path, value in self.to_flat().items() if value != knobs()[path].default}

    def to_json(self) -> str:
        """Returns all settings as indented JSON."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads settings from JSON; raises `ConfigError` also for text that is not a JSON object."""
        if len(text) > MAX_TEXT:
            raise ConfigError(f"The settings are {len(text):,} characters long; at most {MAX_TEXT:,} are read.")
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"The settings are not JSON: {error}.") from None
        if not isinstance(values, dict):
            raise ConfigError("The settings must be a JSON object of sections, such as loss, with their fields.")
        return cls.from_dict(values)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Reads settings from a JSON file; raises `ConfigError` also for a file that cannot be read."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The settings file {path} cannot be read: {error}.") from None

    def to_query(self, base: "Config | None" = None) -> str:
        """Returns what differs from a base, the defaults if none is given, as a URL query that `from_query` reads."""
        usual = (base or Config()).to_flat()
        differing = {path: text_of(value) for path, value in self.to_flat().items() if value != usual[path]}
        return urlencode(differing, safe=",")

    @classmethod
    def from_query(cls, query: str) -> Self:
        """Reads a URL query; raises `ConfigError` as `from_dict`."""
        if len(query) > MAX_TEXT:
            raise ConfigError(f"The link is {len(query):,} characters long; at most {MAX_TEXT:,} are read.")
        return cls.from_flat(dict(parse_qsl(query, keep_blank_values=True)))

    def part(self, *effects: Effect) -> tuple:
        """Returns the values with the given effects: the key under which what they determine may be cached."""
        return tuple(getattr(getattr(self, knob.section), knob.name) for knob in _knobs_with(effects))


@cache
def knobs() -> MappingProxyType[str, Knob]:
    """Returns every hyperparameter by path."""
    return knobs_of(Config)


@cache
def _knobs_with(effects: tuple[Effect, ...]) -> tuple[Knob, ...]:
    return tuple(knob for knob in knobs().values() if knob.effect in effects)


def nested(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Turns {"loss.gamma": 1} into {"loss": {"gamma": 1}}.

    Raises:
        ConfigError: A path has no section.
    """
    result: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        section, dot, name = path.partition(".")
        if not dot or not name:
            raise ConfigError(f"{path} is not a hyperparameter: its name has the form section.field, as in loss.gamma.")
        result.setdefault(section, {})[name] = value
    return result


def text_of(value: Any) -> str:
    """Returns a value as links and flags hold it."""
    if isinstance(value, tuple):
        return ",".join(map(text_of, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)

"""The configuration of seven frozen sections and its lossless forms: dictionary, JSON, link and flat paths."""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError, model_validator

from core.config.anchors import Anchors, Matching
from core.config.errors import explain_errors
from core.config.inference import Inference
from core.config.knob import ConfigError, Effect, Knob, Section, read_knobs
from core.config.loss import Loss
from core.config.model import ALL_STAGES, Model
from core.config.scenes import Scenes
from core.config.training import JITTERS, Training

MAX_TEXT = 100_000  # characters of JSON or of a query that are parsed


class Config(Section):
    """All hyperparameters, by section. Frozen; equal configurations have equal hashes."""

    model: Model = Model()
    anchors: Anchors = Anchors()
    matching: Matching = Matching()
    loss: Loss = Loss()
    inference: Inference = Inference()
    training: Training = Training()
    scenes: Scenes = Scenes()

    @model_validator(mode="after")
    def _check_feature_cache(self) -> Self:
        """Refuses a feature cache with settings under which the features of an image change."""
        if not self.training.cache_features:
            return self
        setting = f"training.cache_features ({self.training.cache_features} MB)"
        off = "or training.cache_features to 0"
        if self.model.freeze_stages < ALL_STAGES:
            raise ValueError(
                f"{setting} needs a backbone that is not trained: set model.freeze_stages to {ALL_STAGES}, {off}."
            )
        for name in JITTERS:
            if value := getattr(self.training, name):
                raise ValueError(
                    f"{setting} needs images that do not change from pass to pass, but training.{name} is {value:g}: "
                    f"set that to 0, {off}."
                )
        return self

    @model_validator(mode="after")
    def _check_early_stopping(self) -> Self:
        """Refuses early stopping without evaluations during the run."""
        if self.training.early_stopping and not self.training.eval_interval:
            raise ValueError(
                f"training.early_stopping ({self.training.early_stopping} evaluations) needs evaluations during the "
                "run: set training.eval_interval above 0, or training.early_stopping to 0."
            )
        return self

    @model_validator(mode="after")
    def _check_accumulation(self) -> Self:
        """Refuses gradients in parts for a loss that weights each score by all others of the batch."""
        if self.training.accumulation > 1 and self.loss.kind == "ghm":
            raise ValueError(
                f"training.accumulation ({self.training.accumulation} parts) does not fit loss.kind ghm, which weights "
                "a score by all others of the batch: set training.accumulation to 1, or choose another loss."
            )
        return self

    @classmethod
    def from_dict(cls, values: dict[str, dict[str, Any]]) -> Self:
        """Creates a configuration from nested settings; missing ones keep their defaults.

        Raises:
            ConfigError: A value is out of range, unknown or contradicts another.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise explain_errors(error, knobs()) from None

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Returns the settings as nested plain values, with lists for tuples, as in JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_flat(cls, values: dict[str, Any]) -> Self:
        """Creates a configuration from settings by path, {"loss.gamma": 1}; raises `ConfigError` as `from_dict`."""
        return cls.from_dict(nest(values))

    def to_flat(self) -> dict[str, Any]:
        """Returns all values by path, in declared order."""
        return {path: getattr(getattr(self, knob.section), knob.name) for path, knob in knobs().items()}

    def replace(self, values: dict[str, Any]) -> Self:
        """Returns a validated copy with some values, by path, replaced; raises `ConfigError` as `from_dict`."""
        return self.from_flat({**self.explicit_values(), **values})

    def explicit_values(self) -> dict[str, Any]:
        """Returns the values that were set explicitly, by path, including those set to their default."""
        return {
            path: getattr(getattr(self, knob.section), knob.name)
            for path, knob in knobs().items()
            if knob.section in self.model_fields_set and knob.name in getattr(self, knob.section).model_fields_set
        }

    def non_default_values(self) -> dict[str, Any]:
        """Returns the values that differ from their defaults, by path."""
        return {path: value for path, value in self.to_flat().items() if value != knobs()[path].default}

    def to_json(self) -> str:
        """Returns all settings as indented JSON."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Creates a configuration from JSON; also raises `ConfigError` for text that is not a JSON object."""
        if len(text) > MAX_TEXT:
            raise ConfigError(f"The settings are longer than the {MAX_TEXT:,} characters that are read: shorten them.")
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"The settings are not JSON: {error}.") from None
        if not isinstance(values, dict):
            raise ConfigError("The settings must be a JSON object of sections, such as loss, that hold their fields.")
        return cls.from_dict(values)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Creates a configuration from a JSON file; also raises `ConfigError` for a file that cannot be read."""
        try:
            with open(path, encoding="utf-8") as file:
                return cls.from_json(file.read(MAX_TEXT + 1))
        except (OSError, ValueError) as error:  # ValueError: it is not UTF-8, or no file can have the name
            raise ConfigError(f"The settings file {path} cannot be read: {error}.") from None

    def to_query(self, base: "Config | None" = None) -> str:
        """Returns the values that differ from a base, by default the default values, as a URL query."""
        base_values = base.to_flat() if base else _default_values()
        differing = {path: format_value(value) for path, value in self.to_flat().items() if value != base_values[path]}
        return urlencode(differing, safe=",")

    @classmethod
    def from_query(cls, query: str) -> Self:
        """Creates a configuration from a URL query; raises `ConfigError` as `from_dict`."""
        if len(query) > MAX_TEXT:
            raise ConfigError(f"The link is {len(query):,} characters long; at most {MAX_TEXT:,} are read.")
        return cls.from_flat(dict(parse_qsl(query, keep_blank_values=True)))

    def cache_key(self, *effects: Effect) -> tuple[Any, ...]:
        """Returns the values of all hyperparameters with the given effects, a cache key for what depends on them."""
        return tuple(getattr(getattr(self, knob.section), knob.name) for knob in _knobs_with(effects))


@cache
def knobs() -> MappingProxyType[str, Knob]:
    """Returns all hyperparameters by path, in declared order."""
    return read_knobs(Config)


@cache
def _default_values() -> MappingProxyType[str, Any]:
    return MappingProxyType({path: knob.default for path, knob in knobs().items()})


@cache
def _knobs_with(effects: tuple[Effect, ...]) -> tuple[Knob, ...]:
    return tuple(knob for knob in knobs().values() if knob.effect in effects)


def nest(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Converts settings by path into nested ones: {"loss.gamma": 1} into {"loss": {"gamma": 1}}.

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


def format_value(value: Any) -> str:
    """Formats a value as links and flags write it."""
    if isinstance(value, tuple):
        return ",".join(map(format_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)

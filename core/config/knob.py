"""The declaration of a hyperparameter, from which widgets, flags, links and messages are built."""

import types
from enum import StrEnum
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from core.config.condition import UNKNOWN, Check, Circumstances, Condition
from core.errors import UserError


class ConfigError(UserError):
    """A setting that is out of range, unknown or contradicts another; the message names it and the allowed values."""


class Effect(StrEnum):
    """What has to be computed again when a hyperparameter changes."""

    DATA = "data"  # the image and its objects
    FORWARD = "forward"  # the network's outputs
    ANCHORS = "anchors"  # the boxes tiled over the pyramid
    ASSIGN = "assign"  # which anchors are foreground, ignored or background
    LOSS = "loss"  # the loss of each anchor
    VIEWS = "views"  # in which tiles, mirrored and in which sizes a picture is also seen
    SELECT = "select"  # which outputs become candidates
    SUPPRESS = "suppress"  # which candidates become detections
    TRAIN = "train"  # nothing now; the next training run


POSTPROCESSING = (Effect.VIEWS, Effect.SELECT, Effect.SUPPRESS)  # what turns outputs into detections


def knob(
    default: Any,
    *,
    label: str,
    help: str,
    effect: Effect,
    ge: float | None = None,
    le: float | None = None,
    step: float | None = None,
    unit: str = "",
    options: tuple[float | str, ...] = (),
    multiple_of: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    acts: tuple[Condition, ...] = (),
) -> Any:
    """Declares a hyperparameter as a pydantic field.

    Args:
        default: Default value.
        label: Short name for people.
        help: One or two sentences: what it does and when to change it.
        effect: What must be recomputed when it changes.
        ge: Smallest allowed number.
        le: Largest allowed number.
        step: Step of its slider; without one the widget is a plain number.
        unit: Unit of the value (px, steps, …), empty for pure numbers.
        options: Common values of a knob that also accepts any other valid value.
        multiple_of: Number of which each allowed value is a multiple.
        min_length: Minimum number of entries of a list.
        max_length: Maximum number of entries of a list.
        acts: Conditions that must all hold for it to act: under others, no value of it changes any result. Those of the
            hyperparameters that they name are implied.
    """
    extra: Any = {"effect": effect, "step": step, "unit": unit, "options": [*options], "acts": acts}
    return Field(
        default,
        title=label,
        description=help,
        ge=ge,
        le=le,
        multiple_of=multiple_of,
        min_length=min_length,
        max_length=max_length,
        json_schema_extra=extra,
    )


class Section(BaseModel):
    """A frozen group of hyperparameters; equal sections have equal hashes, so that they serve as cache keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _parse_texts(cls, values: Any) -> Any:
        """Parses the text of links, flags and text boxes: "0.5, 1, 2" becomes (0.5, 1, 2), and "50" the choice 50."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        texts = {name: text for name, text in values.items() if isinstance(text, str) and name in fields}
        return {**values, **{name: _parse_text(text, fields[name].annotation) for name, text in texts.items()}}


def _parse_text(text: str, annotation: Any) -> Any:
    kind = get_origin(annotation)
    if kind is tuple:
        return tuple(part for part in text.strip("[]() ").split(",") if part.strip())
    if kind is Literal:
        return next((choice for choice in get_args(annotation) if str(choice) == text), text)
    return text


class Knob(NamedTuple):
    """A declared hyperparameter, as read back from its section; `knob` describes the attributes it takes.

    Attributes:
        path: `section.name`.
        section: Name of its section.
        name: Name within the section.
        kind: "bool", "int", "float", "choice", "text" or "list".
        default: Default value.
        ge: Smallest allowed number, or entry of a list.
        le: Largest allowed number, or entry of a list.
        step: Step of its slider.
        unit: Unit of the value.
        label: Short name for people.
        help: One or two sentences for people.
        effect: What must be recomputed when it changes.
        choices: All allowed values of a "choice".
        options: Common values.
        conditions: Conditions that must all hold for it to act.
    """

    path: str
    section: str
    name: str
    kind: str
    default: Any
    ge: float | None
    le: float | None
    step: float | None
    unit: str
    label: str
    help: str
    effect: Effect
    choices: tuple[Any, ...]
    options: tuple[Any, ...]
    conditions: tuple[Condition, ...]

    @property
    def depends_on(self) -> frozenset[str]:
        """The hyperparameters (by path) and attributes of `Circumstances` that its conditions depend on."""
        checks = [check for condition in self.conditions for check in condition.checks]
        return frozenset(name for check in checks for name in (check.of, check.below_value_of) if name)

    def acts(self, config: BaseModel, circumstances: Circumstances = UNKNOWN) -> bool:
        """Returns False if no value of it would change any result under the other settings."""
        return not self.idle_reason(config, circumstances)

    def idle_reason(self, config: BaseModel, circumstances: Circumstances = UNKNOWN) -> str:
        """Returns when it would act, as in "acts when the loss is OHEM", if it does not; "" if it does.

        Args:
            config: All settings.
            circumstances: What else is known; it acts if that alone could decide and is not known.
        """
        for condition in self.conditions:
            reasons = [_why_not(check, condition.words, config, circumstances) for check in condition.checks]
            if all(reasons):
                return reasons[-1]
        return ""

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(map(str, self.choices))
        if self.kind == "bool":
            return "true or false"
        if self.kind == "text":
            return "one of " + ", ".join(self.options) + ", or the path of a file"
        unit = f" {self.unit}" if self.unit else ""
        numbers = {"int": "whole number", "float": "number", "list": "comma-separated list of numbers"}
        return f"a {numbers[self.kind]} from {self.ge:g} to {self.le:g}{unit}"


@cache
def read_knobs(config_type: type[BaseModel]) -> types.MappingProxyType[str, Knob]:
    """Returns every hyperparameter of a configuration type, by path `section.name`, in declared order."""
    found = {}
    for section, outer in config_type.model_fields.items():
        for name, field in _section_type(outer).model_fields.items():
            knob = _read_knob(section, name, field)
            found[knob.path] = knob
    return types.MappingProxyType(found)


def _section_type(field: FieldInfo) -> type[BaseModel]:
    if not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
        raise TypeError(f"A configuration consists of sections, not of {field.annotation}.")
    return field.annotation


def _read_knob(section: str, name: str, field: FieldInfo) -> Knob:
    kind, metadata = _kind(field.annotation), field.metadata
    if kind == "list":  # the bounds belong to the entries: tuple[Annotated[float, Field(...)], ...]
        metadata = get_args(field.annotation)[0].__metadata__[0].metadata
    bounds = {key: getattr(item, key) for item in metadata for key in ("ge", "le") if hasattr(item, key)}
    extra: Any = field.json_schema_extra  # the dictionary that `knob` wrote
    return Knob(
        path=f"{section}.{name}",
        section=section,
        name=name,
        kind=kind,
        default=field.default,
        ge=bounds.get("ge"),
        le=bounds.get("le"),
        step=extra["step"],
        unit=extra["unit"],
        label=field.title or "",
        help=field.description or "",
        effect=extra["effect"],
        choices=get_args(field.annotation) if kind == "choice" else (),
        options=tuple(extra["options"]),
        conditions=extra["acts"],
    )


def _why_not(check: Check, words: str, config: BaseModel, circumstances: Circumstances) -> str:
    """Returns the reason why a check does not hold, "" if it does.

    A check of a hyperparameter that does not act itself decides nothing: its own reason is returned.
    """
    if "." not in check.of:
        return "" if check.holds(getattr(circumstances, check.of)) else f"acts {words}"
    if not check.holds(_read(config, check.of), _read(config, check.below_value_of)):
        return f"acts {words}"
    return read_knobs(type(config))[check.of].idle_reason(config, circumstances)


def _read(config: BaseModel, path: str) -> Any:
    """Returns the value of a hyperparameter, None without a path."""
    section, _, name = path.partition(".")
    return getattr(getattr(config, section), name) if path else None


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "list"
    return {bool: "bool", int: "int", float: "float", str: "text"}[annotation]

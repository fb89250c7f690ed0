"""What a hyperparameter is: one declaration from which widgets, flags, links and messages are made."""

import difflib
import types
from enum import StrEnum
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import UserError


class ConfigError(UserError):
    """A setting that is out of range, unknown or contradicts another; the message says which and what is allowed."""


class Effect(StrEnum):
    """What has to be computed again when a hyperparameter changes."""

    DATA = "data"  # the picture and its objects
    FORWARD = "forward"  # the network's outputs
    ANCHORS = "anchors"  # the boxes tiled over the pyramid
    ASSIGN = "assign"  # which anchor is foreground, ignored or background
    LOSS = "loss"  # what each anchor pays
    SELECT = "select"  # which of the outputs become candidates
    SUPPRESS = "suppress"  # which candidates become detections
    TRAIN = "train"  # nothing on show: the next training run


DECODING = (Effect.SELECT, Effect.SUPPRESS)  # from outputs to detections


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
    options: tuple = (),
    multiple_of: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
) -> Any:
    """Declares a hyperparameter as a pydantic field.

    Args:
        default: Value before anything is touched.
        label: Short name for people.
        help: One sentence: what it does and when to touch it.
        effect: What must be recomputed when it changes.
        ge: Smallest allowed number.
        le: Largest allowed number.
        step: Step of its slider; without one the widget is a plain number.
        unit: Unit of the value (px, steps, …), empty for pure numbers.
        options: Usual values of a knob that also takes any other valid value.
        multiple_of: Allowed numbers are multiples of this.
        min_length: Fewest entries of a list.
        max_length: Most entries of a list.
    """
    extra = {"effect": effect, "step": step, "unit": unit, "options": options}
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
    """A frozen group of hyperparameters; equal sections hash alike, so they serve as cache keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: Any) -> Any:
        """Links, flags and text boxes hold text: "0.5, 1, 2" is (0.5, 1, 2), and "50" chooses 50."""
        annotation = cls.model_fields[info.field_name].annotation
        if isinstance(value, str) and get_origin(annotation) is tuple:
            return tuple(part for part in value.strip("[]() ").split(",") if part.strip())
        if isinstance(value, str) and get_origin(annotation) is Literal:
            return next((choice for choice in get_args(annotation) if str(choice) == value), value)
        return value


class Knob(NamedTuple):
    """One declared hyperparameter, as read back from its section.

    `kind` is one of "bool", "int", "float", "choice", "text", "list".
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
    choices: tuple
    options: tuple

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


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "list"
    return {bool: "bool", int: "int", float: "float", str: "text"}[annotation]


def _bounds(metadata: list) -> dict[str, float]:
    return {key: getattr(part, key) for part in metadata for key in ("ge", "le") if hasattr(part, key)}


@cache
def knobs_of(config_type: type[BaseModel]) -> types.MappingProxyType[str, Knob]:
    """Returns every hyperparameter of a configuration type, by path `section.name`, in declared order."""
    found = {}
    for section, outer in config_type.model_fields.items():
        for name, field in outer.annotation.model_fields.items():
            kind = _kind(field.annotation)
            metadata = field.metadata
            if kind == "list":  # the bounds belong to the entries: tuple[Annotated[float, Field(...)], ...]
                metadata = get_args(field.annotation)[0].__metadata__[0].metadata
            bounds = _bounds(metadata)
            choices = get_args(field.annotation) if kind == "choice" else ()
            path = f"{section}.{name}"
            found[path] = Knob(
                path=path,
                section=section,
                name=name,
                kind=kind,
                default=field.default,
                ge=bounds.get("ge"),
                le=bounds.get("le"),
                label=field.title,
                help=field.description,
                choices=choices,
                **field.json_schema_extra,
            )
    return types.MappingProxyType(found)


def explain(error: ValidationError, knobs: types.MappingProxyType[str, Knob]) -> ConfigError:
    """Turns pydantic's report into one error that names each field, its value and what is allowed."""
    sentences = []
    for problem in error.errors():
        path = ".".join(map(str, problem["loc"][:2]))
        value = problem["input"]
        if path in knobs:
            sentences.append(f"{path} = {value!r} is not allowed: it must be {_allowed(knobs[path], problem)}.")
        elif problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(path, [*knobs, *{knob.section for knob in knobs.values()}], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            sentences.append(f"{path} is not a hyperparameter.{hint}")
        else:  # a contradiction between fields: the validator wrote the sentence
            sentences.append(problem["msg"].removeprefix("Value error, "))
    return ConfigError(" ".join(dict.fromkeys(sentences)))


def _allowed(knob_: Knob, problem: dict) -> str:
    context = problem.get("ctx", {})
    if problem["type"] == "multiple_of":
        return f"{knob_.allowed}, a multiple of {context['multiple_of']}"
    if problem["type"] in ("too_short", "too_long"):
        count = context.get("min_length", context.get("max_length"))
        return f"{knob_.allowed} with {'at least' if 'min_length' in context else 'at most'} {count} entries"
    return knob_.allowed

"""Error messages for invalid settings."""

import difflib
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.config.knob import ConfigError, Knob
from core.errors import quote

MAX_EXPLAINED = 5  # problems in a message; finding the nearest name takes a millisecond each


def explain_errors(error: ValidationError, knobs: Mapping[str, Knob]) -> ConfigError:
    """Turns pydantic's report into one error that names each field, its value and the allowed values."""
    sentences = []
    problems = error.errors(include_url=False)
    for problem in problems[:MAX_EXPLAINED]:
        path = ".".join(map(str, problem["loc"][:2]))
        value = problem["input"]
        if path in knobs:
            allowed = _describe_allowed(knobs[path], problem)
            sentences.append(f"{path} = {quote(value)} is not allowed: it must be {allowed}.")
        elif problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(path, [*knobs, *{knob.section for knob in knobs.values()}], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            sentences.append(f"{path} is not a hyperparameter.{hint}")
        else:  # a contradiction between fields: the validator wrote the sentence
            sentences.append(problem["msg"].removeprefix("Value error, "))
    if (rest := len(problems) - MAX_EXPLAINED) > 0:
        sentences.append(f"{rest:,} more {'setting is' if rest == 1 else 'settings are'} not allowed.")
    return ConfigError(" ".join(dict.fromkeys(sentences)))


def _describe_allowed(knob: Knob, problem: ErrorDetails) -> str:
    context = problem.get("ctx", {})
    if problem["type"] == "multiple_of":
        return f"{knob.allowed}, a multiple of {context['multiple_of']}"
    if problem["type"] in ("too_short", "too_long"):
        count = context.get("min_length", context.get("max_length"))
        return f"{knob.allowed} with {'at least' if 'min_length' in context else 'at most'} {count} entries"
    return knob.allowed

"""Parser of the lessons, Markdown files in `assets/lessons`.

A file begins with a title and one sentence; a line `- core` after them adds the lesson to the short course. Each
`## heading` begins a step. First comes a YAML list of its options:

- `- show: key` of the page's step;
- `- set: path = value`, a setting from the beginning of the step, and `- then: path = value`, a setting once the
  question is answered, so that the page does not reveal the answer. Settings add up from step to step;
- `- veil: parts` of the page that would reveal the answer, hidden until it is given, and `- look: parts` to point at;
- `- layers: key, -key` of the picture to switch on or off;
- `- needs: names` of further steps and knobs that a teacher's link must not hide;
- at the loss step `- curve: name`, at the training step `- compare: preset`, which is chosen for the reader to start.

After a blank line follow the text, a question `? …` with its answers `- …`, of which the right one ends in `*`, the
text after the answer `! …`, and claims `= quantity < number`. Each part extends to the next mark.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from core.config import knobs
from core.experiments.presets import PRESETS
from core.io.paths import ASSETS
from playground.lessons.lesson import PARTS, Claim, Lesson, LessonStep
from playground.steps import STEPS
from playground.steps.loss.step import FIGURES
from playground.steps.step import Focus

FOLDER = ASSETS / "lessons"
CLAIM = re.compile(r"([a-z_0-9]+) *(<=|>=|<|>|==) *((?:before\.)?[a-z_][a-z_0-9]*|[-+]?[0-9][0-9.]*)")
SETTINGS = ("set", "then")
TEXTS = ("show", "curve", "compare", "layers", "look", "veil", "needs")
MARKS = (("? ", "question"), ("! ", "reveal"), ("= ", "claims"))


class LessonError(ValueError):
    """A lesson file is malformed; the message names the file and the step or line."""


class _Options(NamedTuple):
    """The options of a step as they are written; settings are texts by path."""

    set: dict[str, Any]
    then: dict[str, Any]
    show: str = ""
    curve: str = Focus().curve
    compare: str = ""
    layers: str = ""
    look: str = ""
    veil: str = ""
    needs: str = ""


@cache
def lessons() -> dict[str, Lesson]:
    """Returns all lessons by key, in the order of their files."""
    found = (read_lesson(path) for path in sorted(FOLDER.glob("*.md")))
    return {lesson.key: lesson for lesson in found}


def read_lesson(path: Path) -> Lesson:
    """Reads a file named `number-key.md`.

    Raises:
        LessonError: It does not have the format that this module describes.
    """
    head, *sections = re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)
    title, _, about = head.strip().removeprefix("# ").partition("\n")
    about = about.replace("\n- core", "")
    steps: list[LessonStep] = []
    for section in sections:
        steps.append(_parse_step(section, steps[-1].settings if steps else {}, path.name))
    if not steps or not about.strip():
        raise LessonError(f"{path.name}: a lesson needs a title, a sentence about it, and steps that begin with ##.")
    return Lesson(path.stem.partition("-")[2], title.strip(), about.strip(), "- core" in head, tuple(steps))


def _parse_step(section: str, previous: dict[str, Any], file: str) -> LessonStep:
    heading, _, rest = section.strip().partition("\n")
    header, _, body = rest.partition("\n\n")
    title = heading.strip()
    name = f"{file}: the step {title!r}"
    options, parts = _parse_options(header, name), _split_body(body.splitlines())
    answers = [line.removeprefix("- ").strip() for line in parts["answers"] if line.strip()]
    right = [index for index, answer in enumerate(answers) if answer.endswith("*")]
    _check_options(options, name)
    _check_question(options, len(answers), len(right), name)
    initial = {**previous, **options.set}
    return LessonStep(
        title=title,
        show=options.show,
        previous=previous,
        initial=initial,
        settings={**initial, **options.then},
        curve=options.curve,
        layers={key.removeprefix("-"): not key.startswith("-") for key in _split_names(options.layers)},
        look=_split_names(options.look),
        veil=_split_names(options.veil),
        needs=_split_names(options.needs),
        compare=options.compare,
        text="\n".join(parts["text"]).strip(),
        question=" ".join(parts["question"]).strip(),
        answers=tuple(answer.rstrip("* ") for answer in answers),
        right=right[0] if right else -1,
        reveal="\n".join(parts["reveal"]).strip(),
        claims=tuple(_parse_claim(line, name) for line in parts["claims"] if line.strip()),
    )


def _parse_options(header: str, step: str) -> _Options:
    try:
        items = yaml.load(header, Loader=yaml.BaseLoader)  # all values stay text
    except yaml.YAMLError as error:
        raise LessonError(f"{step} has malformed options: {error}") from None
    texts: dict[str, str] = {}
    settings: dict[str, dict[str, Any]] = {key: {} for key in SETTINGS}
    for item in items if isinstance(items, list) else []:
        (key, text), *others = item.items() if isinstance(item, dict) and item else [("", "")]
        if others or key not in (*TEXTS, *SETTINGS) or not isinstance(text, str):
            raise LessonError(f"{step} has the option {item!r}: it must be one of {', '.join((*TEXTS, *SETTINGS))}.")
        if key in TEXTS:
            texts[key] = text
            continue
        path, equals, value = text.partition("=")
        if not equals:
            raise LessonError(f"{step} has the option '{key}: {text}' without =.")
        settings[key][path.strip()] = value.strip()
    return _Options(settings["set"], settings["then"], **texts)


def _split_body(lines: Iterable[str]) -> dict[str, list[str]]:
    """Returns the lines of each part of a step, without the marks that begin the parts."""
    parts: dict[str, list[str]] = {name: [] for name in ("text", "question", "answers", "reveal", "claims")}
    part = "text"
    for line in lines:
        mark, part = next(((mark, name) for mark, name in MARKS if line.startswith(mark)), ("", part))
        if part == "question" and line.startswith("- "):
            part = "answers"
        parts[part].append(line.removeprefix(mark))
    return parts


def _check_question(options: _Options, answers: int, right: int, step: str) -> None:
    if not options.show or (answers and right != 1) or (options.then and not answers):
        raise LessonError(
            f"{step} needs an option '- show: …' and, with a question or '- then: …', one right answer marked *."
        )
    if answers and not (options.then or options.veil):
        raise LessonError(f"{step} shows the answer to its question: it needs an option '- then: …' or '- veil: …'.")


def _check_options(options: _Options, step: str) -> None:
    if options.curve not in FIGURES:
        raise LessonError(f"{step} has the curve {options.curve!r}, which is none of {', '.join(FIGURES)}.")
    if options.compare and (options.show != "training" or options.compare not in PRESETS):
        raise LessonError(
            f"{step} compares {options.compare!r}, but only a step that shows training can compare, and only one of "
            f"{', '.join(PRESETS)}."
        )
    allowed_names = ((options.look, PARTS), (options.veil, PARTS), (options.needs, (*STEPS, *knobs())))
    for text, allowed in allowed_names:
        for name in _split_names(text):
            if name not in allowed:
                raise LessonError(f"{step} names {name!r}, which is none of {', '.join(allowed)}.")


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _parse_claim(line: str, step: str) -> Claim:
    match = CLAIM.fullmatch(line.strip())
    if not match:
        raise LessonError(f"{step} has the claim {line!r}, which does not have the form quantity < number.")
    return Claim(*match.groups())

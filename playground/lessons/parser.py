"""Parser of the lessons, Markdown files in `assets/lessons`.

A file begins with a title and one sentence; a line `- core` after them adds the lesson to the short course. Each
`## heading` begins a step. First comes a YAML list of its options:

- `- show: key` of the page's step;
- `- set: path = value`, a setting from the beginning of the step, and `- then: path = value`, a setting once the
  question is answered, so that the page does not reveal the answer. Settings add up from step to step;
- `- veil: parts` of the page that would reveal the answer, hidden until it is given, and `- look: parts` to point at;
- `- knobs: paths` beside the text, by default those of `set` and `then`, and `- controls: names` of other controls;
- `- tables: titles` that the step is about, or their beginnings, if it looks at the readout or at more; `facts` are the
  numbers above them, `status` the sentences above those. The others are hidden;
- `- layers: key, -key` of the picture to switch on or off;
- `- needs: names` of further steps and knobs that a teacher's link must not hide;
- `- draw: curve` (the figure's, at the loss step) or `- draw: boxes` (the objects that will be missed, at the
  detections step) to have the answer drawn;
- `- dials: name = value, …` beside the figure, see `playground.steps.dials`;
- at the loss step `- curve: name`, at the training step `- compare: preset`, which is chosen for the reader to start;
  its curves and its readout are pointed at as soon as they are there.

After a blank line follow the text, a question `? …`, its answers `- …`, of which the right one ends in `*`, the text
after the answer `! …`, and claims `= quantity < number`. A line `  ~ …` under a wrong answer says why it is wrong,
under a claim why it may not hold on some pictures. Each part extends to the next mark.

The last step may have the option `- summary`: its text sums up the lesson; it shows what the step before showed.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.io.paths import ASSETS
from playground.lessons.lesson import Claim, Lesson, LessonStep
from playground.lessons.options import DRAWN_AT, LessonError, Options, parse_options, split_names

FOLDER = ASSETS / "lessons"
CLAIM = re.compile(r"([a-z_0-9]+) *(<=|>=|<|>|==) *((?:before\.)?[a-z_][a-z_0-9]*|[-+]?[0-9][0-9.]*)")
REASON = "  ~ "
MARKS = (("? ", "question"), ("! ", "reveal"), ("= ", "claims"))


class _Item(NamedTuple):
    """An answer or a claim as it is written, with its reason, "" for none."""

    text: str
    reason: str


class _Question(NamedTuple):
    """A question, "" for none, its answers as they are written, and the index of the right one, -1 for none."""

    text: str
    answers: list[_Item]
    right: int


@cache
def lessons() -> dict[str, Lesson]:
    """Returns all lessons by key, in the order of their files."""
    found = (read_lesson(path) for path in sorted(FOLDER.glob("[0-9]*.md")))
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
        steps.append(_parse_step(section, steps[-1] if steps else None, path.name))
    if not steps or not about.strip():
        raise LessonError(f"{path.name}: a lesson needs a title, a sentence about it, and steps that begin with ##.")
    if any(step.is_summary for step in steps[:-1]):
        raise LessonError(f"{path.name}: only the last step of a lesson can be its summary.")
    return Lesson(path.stem.partition("-")[2], title.strip(), about.strip(), "- core" in head, tuple(steps))


def _parse_step(section: str, before: LessonStep | None, file: str) -> LessonStep:
    heading, _, rest = section.strip().partition("\n")
    header, _, body = rest.partition("\n\n")
    title = heading.strip()
    name = f"{file}: the step {title!r}"
    options, parts = parse_options(header, name), _split_body(body.splitlines(), name)
    dials = options.parse_dials().to_text()
    if options.is_summary and before and not options.show:
        options, dials = options._replace(show=before.show, curve=before.curve), before.dials
    question = _parse_question(parts, options, name)
    previous = before.settings if before else {}
    initial = {**previous, **options.set}
    return LessonStep(
        title=title,
        show=options.show,
        previous=previous,
        initial=initial,
        settings={**initial, **options.then},
        curve=options.curve,
        layers={key.removeprefix("-"): not key.startswith("-") for key in split_names(options.layers)},
        look=split_names(options.look),
        veil=split_names(options.veil),
        needs=split_names(options.needs),
        knobs=options.named_knobs(),
        controls=split_names(options.controls),
        tables=split_names(options.tables),
        draw=options.draw,
        dials=dials,
        compare=options.compare,
        text="\n".join(parts["text"]).strip(),
        question=question.text,
        answers=tuple(answer.text.rstrip("* ") for answer in question.answers),
        reasons=tuple(answer.reason for answer in question.answers),
        right=question.right,
        reveal="\n".join(parts["reveal"]).strip(),
        claims=tuple(_parse_claim(item, name) for item in _parse_items(parts["claims"], "")),
        is_summary=options.is_summary,
    )


def _parse_question(parts: dict[str, list[str]], options: Options, step: str) -> _Question:
    answers = _parse_items(parts["answers"], "- ")
    right = [index for index, answer in enumerate(answers) if answer.text.endswith("*")]
    question = " ".join(parts["question"]).strip()
    _check_question(options, question, len(answers), len(right), step)
    _check_reasons(answers, step)
    return _Question(question, answers, right[0] if right else -1)


def _split_body(lines: Iterable[str], step: str) -> dict[str, list[str]]:
    """Returns the lines of each part of a step, without the marks that begin the parts."""
    parts: dict[str, list[str]] = {name: [] for name in ("text", "question", "answers", "reveal", "claims")}
    part = "text"
    for line in lines:
        mark, part = next(((mark, name) for mark, name in MARKS if line.startswith(mark)), ("", part))
        if part == "question" and line.startswith("- "):
            part = "answers"
        if line.startswith(REASON) and not (part in ("answers", "claims") and parts[part]):
            raise LessonError(f"{step} has the reason {line!r} under nothing that it could belong to.")
        parts[part].append(line.removeprefix(mark))
    return parts


def _parse_items(lines: Iterable[str], mark: str) -> list[_Item]:
    """Returns the answers or claims of a step; indented lines continue the text or reason above them."""
    items: list[_Item] = []
    for line in filter(str.strip, lines):
        if not line.startswith("  "):
            items.append(_Item(line.removeprefix(mark).strip(), ""))
            continue
        text, reason = items[-1]
        if line.startswith(REASON) or reason:
            items[-1] = _Item(text, f"{reason} {line.strip().removeprefix(REASON.strip()).strip()}".strip())
        else:
            items[-1] = _Item(f"{text} {line.strip()}", "")
    return items


def _check_question(options: Options, question: str, answers: int, right: int, step: str) -> None:
    asks = bool(answers or options.draw)
    if not options.show or (answers and right != 1) or (options.then and not asks) or (question and not asks):
        raise LessonError(
            f"{step} needs an option '- show: …' and, with a question or '- then: …', one right answer marked * or "
            "an option '- draw: …'."
        )
    if asks and not (options.then or options.veil):
        raise LessonError(f"{step} shows the answer to its question: it needs an option '- then: …' or '- veil: …'.")
    if options.draw and (answers or not question or options.show != DRAWN_AT[options.draw]):
        raise LessonError(
            f"{step} has its answer drawn: it needs a question without answers, and '- show: {DRAWN_AT[options.draw]}'."
        )
    if options.is_summary and asks:
        raise LessonError(f"{step} is a summary: it must not ask anything.")


def _check_reasons(answers: list[_Item], step: str) -> None:
    unexplained = [answer.text for answer in answers if not answer.reason and not answer.text.endswith("*")]
    if unexplained:
        raise LessonError(f"{step} has the wrong answer {unexplained[0]!r} without a line '  ~ …' that says why.")


def _parse_claim(item: _Item, step: str) -> Claim:
    match = CLAIM.fullmatch(item.text)
    if not match:
        raise LessonError(f"{step} has the claim {item.text!r}, which does not have the form quantity < number.")
    quantity, sign, other = match.groups()
    return Claim(quantity, sign, other, item.reason)

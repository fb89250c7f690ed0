"""The cheapest rescues in words: of the clicked object or box, and a short list for the whole picture."""

from collections import Counter
from collections.abc import Callable, Sequence

from markupsafe import Markup

from core.config import format_value, knobs
from core.errors import UserError
from core.evaluation.error_types import BACKGROUND, BOTH, CLASS, DUPLICATE, FOREGROUND_IOU, LOCATION, MISSED
from core.io.text import count_noun
from core.rescue.change import Change
from core.rescue.faults import Fault
from core.rescue.moves import Move
from core.rescue.proposals import find_proposal
from core.rescue.search import Rescue, Rescues, Verdict
from core.rescue.totals import SetRescues
from playground.canvas.view import TRUTH
from playground.components import html
from playground.inspector.detection import find_place_of, name_box_of
from playground.inspector.rescues import Found, find, find_over_set
from playground.pipeline.pipeline import Pipeline
from playground.support.wording import name_choice, name_knobs

DIAL, ON = "rescue", "yes"  # name of the dial, a field of `playground.steps.dials.Dials`, and its value
TITLE = "Cheapest ways out"
FAULTS = {
    MISSED: "missed",
    BACKGROUND: "false alarm",
    CLASS: "wrong class",
    LOCATION: "badly placed",
    BOTH: "wrong class, badly placed",
    DUPLICATE: "duplicate",
}
THRESHOLD, SIZE = knobs()["inference.score_threshold"], knobs()["inference.image_size"]
METHOD = (
    "Each row changes one hyperparameter, by the fewest steps of its own scale that undo the fault, and no other. What "
    "else it finds, loses, drops or adds is counted, not guessed; a click applies it. "
)
STEPS = (
    f"One step counts as much as any other: {SIZE.step:g} {SIZE.unit} of “{SIZE.label}” as {THRESHOLD.step:g} of "
    f"“{THRESHOLD.label}”."
)
HERE_ONLY = "It is counted in this picture only, and in others it can do harm: the step Evaluation counts it over many."
COLUMNS = ("fewest steps", "objects", "false positives")
LISTED = 12  # faults in the list


def report_detection(pipeline: Pipeline, candidate: int) -> Markup:
    """Returns what would undo the fault that a detection is; nothing for a box that is none."""
    place = find_place_of(pipeline, candidate)
    return Markup() if place is None else _report(pipeline, lambda found: found.of_detection(place))


def report_object(pipeline: Pipeline, number: int) -> Markup:
    """Returns what would have an object found; nothing if it is."""
    return _report(pipeline, lambda found: found.of_object(number))


def _report(pipeline: Pipeline, choose: Callable[[Found], Verdict | None]) -> Markup:
    try:
        found = find(pipeline)
    except UserError as error:
        return html.paragraph(name_knobs(error))
    verdict = choose(found)
    if verdict is None:
        return Markup()
    text = html.heading(f"What would undo it: {FAULTS[verdict.fault.kind]}")
    if not verdict.rescues:
        return text + html.paragraph(explain_lack(pipeline, found.rescues, verdict))
    over_set = find_over_set(pipeline)
    rows = tuple(_row(each, over_set) for each in verdict.rescues)
    table = html.table(html.Table("", (*COLUMNS, *_name_set(over_set)), rows))
    return text + table + html.paragraph(METHOD + _say_where(over_set)) + _say_left_out(found.rescues)


def build_list(pipeline: Pipeline, *, on: bool) -> Markup:
    """Returns the button that starts the search, and the faults of the whole picture with their cheapest rescues."""
    text = html.heading(TITLE)
    choices = (("not searched", "", not on), ("for every fault", ON, on))
    text += html.tabs(TITLE, [html.dial(name, DIAL, value, on=chosen) for name, value, chosen in choices])
    if not on:
        return text
    try:
        found = find(pipeline)
    except UserError as error:
        return text + html.paragraph(name_knobs(error))
    return text + _build_list(pipeline, found)


def _build_list(pipeline: Pipeline, found: Found) -> Markup:
    verdicts = found.rescues.verdicts
    if not verdicts:
        return html.paragraph("Every object is found, and nothing else: there is no fault to undo.")
    counts = Counter(each.fault.kind for each in verdicts)
    summary = ", ".join(count_faults(kind, count) for kind, count in counts.items())
    rows, boxes = [], []
    over_set = find_over_set(pipeline)
    columns = ("fault", *COLUMNS, *_name_set(over_set))
    for verdict in verdicts[:LISTED]:
        for number, rescue in enumerate(_select(verdict.rescues)):
            rows.append((("or" if number else _name(pipeline, verdict)), *_row(rescue, over_set)))
            boxes.append(_name_box(pipeline, found, verdict.fault))
        if not verdict.rescues:
            lack = _name(pipeline, verdict), explain_lack(pipeline, found.rescues, verdict)
            rows.append((*lack, *[""] * (len(columns) - len(lack))))
            boxes.append(_name_box(pipeline, found, verdict.fault))
    table = html.table(html.Table("", columns, tuple(rows), boxes=tuple(boxes)))
    text = html.paragraph(f"{summary}. {METHOD}{_say_where(over_set)}") + table
    if len(verdicts) > LISTED:
        more = count_noun(len(verdicts) - LISTED, "more fault")
        text += html.paragraph(f"{more}: a click on an object or on a box tells what would undo its own.")
    return text + _say_left_out(found.rescues)


def _name_box(pipeline: Pipeline, found: Found, fault: Fault) -> str:
    """Returns the name of the missed object on the picture, or of the detection."""
    if fault.detection < 0:
        return html.box_of(TRUTH, found.objects.index(fault.object))
    return name_box_of(pipeline, found.places[fault.detection])


def _name_set(over_set: SetRescues | None) -> tuple[str, ...]:
    """Returns the names of the columns with what a change does over a set, none without a set."""
    return tuple(f"{name}, in {over_set.pictures:,}" for name in COLUMNS[1:]) if over_set else ()


def _say_where(over_set: SetRescues | None) -> str:
    if over_set is None:
        return HERE_ONLY
    which = f"the {count_noun(over_set.pictures, 'picture')} that the step Evaluation has searched"
    return f"It is counted in this picture, and in {which}; “–” where that value was not tried in all of them."


def count_faults(kind: str, count: int) -> str:
    """Returns a number of faults of a kind, as in "3 missed" and "2 false alarms"."""
    return count_noun(count, FAULTS[kind]) if kind in (BACKGROUND, DUPLICATE) else f"{count:,} {FAULTS[kind]}"


def _select(rescues: Sequence[Rescue]) -> list[Rescue]:
    """Returns the rescue with the fewest steps, and if it does harm, the next that does none."""
    good = [each for each in rescues if each.change.is_good]
    return list(dict.fromkeys([*rescues[:1], *good[:1]]))


def _row(rescue: Rescue, over_set: SetRescues | None) -> tuple[str, ...]:
    cells = link_move(rescue.move, rescue.before), *describe(rescue.change)
    if over_set is None:
        return cells
    tried = over_set.find(rescue.move)
    return *cells, *(describe(tried.change) if tried else ("–", "–"))


def link_move(move: Move, before: object) -> Markup:
    """Returns the button that applies another value of a hyperparameter, which says what changes."""
    path, value, steps = move
    change = f"{knobs()[path].label} {_text(path, before)} → {_text(path, value)}, {count_noun(steps, 'step')}"
    return html.link(change, f"set {path} {format_value(value)}", name=f"Apply: {change}")


def describe(change: Change) -> tuple[str, str]:
    """Returns what a change does to the objects found and to the false positives."""
    pairs = ((change.found, change.lost), (change.new, change.gone))
    more, false = (", ".join([*([f"+{up}"] if up else []), *([f"−{down}"] if down else [])]) for up, down in pairs)
    return more or "±0", false or "±0"


def _text(path: str, value: object) -> str:
    """Returns the value of a hyperparameter in words."""
    knob = knobs()[path]
    if knob.kind == "bool":
        return "on" if value else "off"
    if knob.kind == "choice":
        return name_choice(value)
    return f"{format_value(value).replace(',', ', ')} {knob.unit}".strip()


def _name(pipeline: Pipeline, verdict: Verdict) -> str:
    fault, names = verdict.fault, pipeline.picture.class_names
    score = "" if fault.kind == MISSED else f" {fault.score:.2f}"
    return f"{FAULTS[fault.kind]}: {names[fault.label]}{score}"


def explain_lack(pipeline: Pipeline, rescues: Rescues, verdict: Verdict) -> str:
    """Returns why no value of a hyperparameter undoes a fault, from what the anchors predict for its object."""
    fault = verdict.fault
    if fault.object < 0 or fault.object in rescues.standing.found:
        return f"None of the {rescues.tried} values tried undoes it: the network has to learn it."
    sample = pipeline.picture.sample
    own = int(sample.labels[fault.object])
    label = next((each for each, mine in enumerate(pipeline.own_labels.tolist()) if mine == own), -1)
    proposal = find_proposal(pipeline.prediction, pipeline.config, sample.boxes[fault.object], label)
    name, classes = pipeline.picture.class_names[own], pipeline.network.class_names
    if proposal.iou < FOREGROUND_IOU:
        return (
            f"No anchor proposes it: the best box of any has an IoU of {proposal.iou:.2f} ({proposal.level}), and the "
            f"best score for {name} near it is {proposal.near:.3f}. That needs training, perhaps with other anchors."
        )
    other = f"; {classes[proposal.other]} has {proposal.other_score:.3f}" if proposal.other >= 0 else ""
    return (
        f"None of the {rescues.tried} values tried undoes it. An anchor of {proposal.level} proposes a box with an IoU "
        f"of {proposal.iou:.2f}, but where the IoU is {FOREGROUND_IOU} or more the best score for {name} is "
        f"{proposal.score:.3f}{other}. That needs training."
    )


def _say_left_out(rescues: Rescues) -> Markup:
    """Returns of which hyperparameters not all values were tried; anchors of trained weights cannot change."""
    text = f"{STEPS} {rescues.tried:,} values were tried. Anchors, assigner and loss need training, and are not tried."
    return html.paragraph(text + name_left_out(rescues.left_out))


def name_left_out(paths: Sequence[str]) -> str:
    """Returns a sentence, after a space, on the hyperparameters of which some values take too long; "" for none."""
    labels = ", ".join(f"“{knobs()[path].label}”" for path in paths)
    return f" Not all values were tried of {labels}, which take longer." if labels else ""

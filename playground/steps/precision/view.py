"""The content of a step that shows how average precision is made: numbers, dials, figure, and boxes on the picture."""

import math
from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup
from torch import Tensor

from core.evaluation.counting import (
    DUPLICATE,
    IGNORED,
    RIGHT,
    WRONG,
    Counted,
    average_over_classes,
    average_over_ious,
)
from core.evaluation.detection_matching import MAX_DETECTIONS
from core.evaluation.error_types import FOREGROUND_IOU, ErrorTypes, analyse_errors
from core.io.text import count_noun
from playground.canvas.view import Layer
from playground.components import html
from playground.components.dials import CHOICE, SLIDER, Dial
from playground.components.figures import Figure
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import MATCH_RANGE, Dials
from playground.steps.evaluation.tables import ERROR_NAMES, MEANINGS
from playground.steps.precision.counted import Choice, Material, choose, kept_boxes, of_picture
from playground.steps.precision.figure import curve_figure
from playground.steps.step import StepText, truth_layer
from playground.support.cache import Cache

LAST = "Counted last"  # begins the heading
RIGHT_LAYER, WRONG_LAYER = "counted-right", "counted-wrong"
ROWS = 12  # of the table: the detection counted last, and those before it
_averages, _errors = Cache(), Cache()


def picture_layers(pipeline: Pipeline, dials: Dials) -> tuple[Layer, ...]:
    """Returns the objects and the counted detections of the picture on show; raises as `of_picture`."""
    choice = choose(of_picture(pipeline), dials)
    return (truth_layer(pipeline), *counted_layers(choice, 0, kept_boxes(pipeline)))


def picture_text(pipeline: Pipeline, dials: Dials, chooser: Dial) -> StepText:
    """Returns the content beside the picture on show; raises as `of_picture`.

    Args:
        pipeline: The picture under the settings.
        dials: Their values.
        chooser: The dial that chooses the figure.
    """
    choice = choose(of_picture(pipeline), dials)
    threshold = pipeline.config.inference.score_threshold
    note = f"Only detections above the score threshold, {threshold:g}, are there to be counted. "
    if choice.material.dropped:
        dropped = count_noun(choice.material.dropped, "detection")
        note += f"Left out: {dropped} of classes that this picture is not labelled with. "
    more = html.paragraph(note) + costs(_analyse(choice.material))
    return StepText(counted_text(choice, dials), counted_figure(choice), more, (chooser, *counted_dials(choice, dials)))


def counted_figure(choice: Choice) -> Figure:
    """Returns the figure of what is counted so far."""
    return curve_figure(choice.counting, choice.so_far)


def counted_dials(choice: Choice, dials: Dials) -> tuple[Dial, ...]:
    """Returns the dials that choose the class, the match and how many detections are counted."""
    names = choice.material.class_names
    present = {int(label) for image in choice.material.overlaps for label in (*image.object_label, *image.label)}
    classes = (("All classes in one list", ""), *((names[label], names[label]) for label in sorted(present)))
    of = "" if choice.label is None else names[choice.label]
    total = len(choice.counting.detections)
    return (
        Dial("counted", "Detections counted", SLIDER, str(choice.so_far), 0, max(total, 1), 1),
        Dial("match", "A match from IoU", SLIDER, f"{dials.match:.2f}", *MATCH_RANGE, 0.05),
        Dial("of", "Class", CHOICE, of, choices=classes),
    )


def counted_text(choice: Choice, dials: Dials) -> Markup:
    """Returns what the detection counted last is counted as, the numbers so far, and the latest rows."""
    counting, count = choice.counting, choice.so_far
    tally = counting.tally(count)
    made = tally.right + tally.wrong
    parts = [
        ("true positives", html.count(tally.right)),
        ("false positives", html.count(tally.wrong)),
        ("of which duplicates", html.count(tally.duplicates)),
        ("precision", _quotient(tally.right, made)),
        ("recall", _quotient(tally.right, counting.positives)),
        ("area so far", _number(counting.average_precision(count))),
    ]
    return _last(choice, dials) + html.facts(parts) + _rows(choice) + _averages_text(choice, dials)


def _last(choice: Choice, dials: Dials) -> Markup:
    """Returns the heading and the sentence on the detection counted last."""
    total = len(choice.counting.detections)
    if not choice.so_far:
        text = f"No detection is counted yet: there are {total:,}, the one with the highest score comes first."
        return html.heading(LAST) + html.paragraph(text if total else "There is no detection to count.")
    last = choice.counting.detections[choice.so_far - 1]
    names = choice.material.class_names
    outcome = "is left out" if last.outcome == IGNORED else f"is a {last.outcome}"
    title = f"{LAST}: {names[last.label]} {last.score:.2f} {outcome} ({choice.so_far:,} of {total:,})"
    return html.heading(title) + html.paragraph(_explain(last, choice, dials.match))


def _explain(each: Counted, choice: Choice, match: float) -> str:
    """Returns why a detection is counted as it is."""
    where = f" in {choice.material.picture_names[each.image]}" if choice.material.picture_names else ""
    if each.object < 0:
        return f"It overlaps no object at all{where}."
    name = choice.material.class_names[choice.material.overlaps[each.image].object_label[each.object]]
    what = f"{name} {_number_object(each, choice)}{where}"
    if each.outcome == IGNORED:
        return f"It lies in a crowd region{where}, which counts neither for nor against a detector."
    if each.outcome == RIGHT:
        return f"Its IoU with {what} is {each.iou:.2f}, at least {match:g}, and the object was not found before."
    if each.outcome == DUPLICATE:
        return f"Its IoU with {what} is {each.iou:.2f}, but a detection with a higher score has taken that object."
    same = name == choice.material.class_names[each.label]
    reason = f"less than {match:g}" if same else f"but that is a {name}"
    return f"It overlaps {what} most, with IoU {each.iou:.2f}, {reason}."


def _number_object(each: Counted, choice: Choice) -> int:
    """Returns the number that an object has on the page, where crowd regions have none."""
    crowd = choice.material.overlaps[each.image].crowd
    return int((~crowd[: each.object + 1]).sum())


def _rows(choice: Choice) -> Markup:
    """Returns the table of the detections counted last, the newest first."""
    counting, names = choice.counting, choice.material.class_names
    rows: list[tuple[str, ...]] = []
    wrong = set()
    for number in range(choice.so_far, max(choice.so_far - ROWS, 0), -1):
        each, tally = counting.detections[number - 1], counting.tally(number)
        made, found = _number(tally.precision, ".2f"), _number(tally.recall, ".2f")
        if each.outcome in (WRONG, DUPLICATE):
            wrong.add(len(rows))
        rows.append((str(number), names[each.label], f"{each.score:.2f}", f"{each.iou:.2f}", each.outcome, made, found))
    columns = ("number", "class", "score", "IoU", "counted as", "precision", "recall")
    boxes = () if choice.material.picture_names else _name_boxes(choice)[::-1][: len(rows)]
    return html.table(html.Table("Counted so far", columns, tuple(rows), frozenset(wrong), tuple(boxes)))


def _name_boxes(choice: Choice) -> list[str]:
    """Returns the names of the boxes counted so far in `counted_layers`, for one picture; "" for those in none."""
    numbers, names = Counter[str](), []
    for each in choice.counting.detections[: choice.so_far]:
        layer = RIGHT_LAYER if each.outcome == RIGHT else WRONG_LAYER
        names.append("" if each.outcome == IGNORED else html.box_of(layer, numbers[layer]))
        numbers[layer] += each.outcome != IGNORED
    return names


def _averages_text(choice: Choice, dials: Dials) -> Markup:
    """Returns how COCO's AP follows from such areas."""
    material, match = choice.material, dials.match
    images, classes = material.overlaps, len(material.class_names)

    def compute() -> tuple[float, float]:
        return average_over_classes(images, classes, match), average_over_ious(images, classes)

    def compute_whole() -> float:
        return choice.counting.average_precision(len(choice.counting.detections))

    at_match, ap = _averages.get((material.key, match), compute)
    whole = _averages.get((material.key, match, choice.label), compute_whole)
    pairs = [
        ("area when all are counted", _number(whole)),
        (f"its mean over the classes, IoU {match:g}", _number(at_match)),
        ("AP: mean over IoU 0.50 to 0.95", _number(ap)),
    ]
    explanation = "COCO counts each class alone, takes the area, and averages over the classes and ten IoU thresholds."
    if material.beyond:
        left_out = f"{material.beyond:,} weaker ones are left out."
        explanation += f" Of each class it counts the best {MAX_DETECTIONS} in a picture: {left_out}"
    return html.heading("From areas to AP") + html.facts(pairs) + html.paragraph(explanation)


def counted_layers(choice: Choice, image: int, boxes: Tensor) -> tuple[Layer, ...]:
    """Returns the counted detections in a picture as layers, the one counted last with a tag.

    Args:
        choice: What is counted.
        image: Index of the picture.
        boxes: Boxes of all its detections, float32 [D, 4], in the coordinates of the view.
    """
    counted = [each for each in choice.counting.detections[: choice.so_far] if each.image == image]
    right = [each for each in counted if each.outcome == RIGHT]
    wrong = [each for each in counted if each.outcome not in (RIGHT, IGNORED)]
    last = choice.counting.detections[choice.so_far - 1] if choice.so_far else None
    here = [last] if last and last.image == image else []
    names = choice.material.class_names
    captions = tuple(f"{choice.so_far}: {names[each.label]} {each.score:.2f}, {each.outcome}" for each in here)
    return (
        Layer(RIGHT_LAYER, "true positives", "foreground", _take(boxes, right)),
        Layer(WRONG_LAYER, "false positives", "suppressed", _take(boxes, wrong)),
        Layer("counted-last", "counted last", "before", _take(boxes, here), width=3.5, captions=captions),
    )


def _take(boxes: Tensor, chosen: Sequence[Counted]) -> Tensor:
    return boxes[[each.detection for each in chosen]].reshape(-1, 4)


def _analyse(material: Material) -> ErrorTypes:
    return _errors.get(material.key, lambda: analyse_errors(material.overlaps, len(material.class_names)))


def costs(errors: ErrorTypes) -> Markup:
    """Returns what each kind of error costs, as TIDE defines it, for the picture on show."""
    rows = tuple(
        (ERROR_NAMES[kind], f"{len(errors.select(kind)):,}", _number(cost, "+.3f"), MEANINGS[kind])
        for kind, cost in errors.cost.items()
    )
    title = f"What the errors cost, at IoU {FOREGROUND_IOU:g}"
    text = f"Without any fix AP50 is {_number(errors.ap50)}. Each row mends one kind of error alone."
    columns = ("kind", "errors", "AP50 if fixed", "meaning")
    return html.table(html.Table(title, columns, rows)) + html.paragraph(text)


def _quotient(part: int, whole: int) -> str:
    return f"{part:,}/{whole:,} = {part / whole:.2f}" if whole else "–"


def _number(value: float, digits: str = ".3f") -> str:
    return html.number(None if math.isnan(value) else value, digits)

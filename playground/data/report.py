"""What a look through a data set found, as the Picture step tells it: its splits, its classes, what is wrong."""

from collections.abc import Mapping
from types import MappingProxyType

from markupsafe import Markup

from core.analysis.dataset_check import DataCheck
from core.analysis.image_check import ImageFacts
from core.analysis.issues import NO_ANCHOR, NO_TEST, NO_VAL, UNTRAINED_CLASS, Issue
from core.analysis.size_check import ClassSizes
from playground.components import html
from playground.data.image_ref import ImageRef

SHOWN = 8  # examples of an issue
# What to do on the page, where the command line has another way.
REMEDIES = MappingProxyType(
    {
        NO_VAL: "press Split in the Picture step",
        NO_TEST: "evaluate on val, or press Split in the Picture step",
        UNTRAINED_CLASS: "press Split in the Picture step, stratified",
        NO_ANCHOR: "let the Anchors step fit scales and ratios to the data set, or raise the image size",
    }
)


def report(
    name: str,
    check: DataCheck,
    sizes: Mapping[str, ClassSizes],
    issues: tuple[Issue, ...],
    places: Mapping[str, ImageRef] = MappingProxyType({}),
) -> Markup:
    """Returns a data set's report as HTML.

    Args:
        name: Of the data set.
        check: Its splits and classes.
        sizes: By class, under the present settings.
        issues: What is wrong.
        places: Where pictures are by what issues call them, for those that can be opened.
    """
    format_ = check.format or "no known format"
    count = sum(split.pictures for split in check.splits.values())
    text = html.paragraph(f"{name}: {format_}, {count:,} pictures, {len(check.class_names)} classes.")
    text += _splits(check) + _classes(check, sizes)
    text += html.join(_issue(issue, places) for issue in issues)
    if not issues:
        text += html.paragraph("Nothing is wrong with it.")
    return text


def places_of(name: str, looks: Mapping[str, list[ImageFacts]]) -> dict[str, ImageRef]:
    """Returns where pictures are by what issues call them; a name that a split has twice means the first."""
    places: dict[str, ImageRef] = {}
    for split, each in looks.items():
        for index, look in enumerate(each):
            places.setdefault(look.name, ImageRef(name, split, index))
    return places


def _splits(check: DataCheck) -> Markup:
    rows = tuple(
        (name, f"{split.pictures:,}", f"{split.empty:,}", f"{sum(split.objects.values()):,}", f"{split.crowds:,}")
        for name, split in check.splits.items()
    )
    return html.table(html.Table("Splits", ("split", "pictures", "empty", "objects", "crowds"), rows))


def _classes(check: DataCheck, sizes: Mapping[str, ClassSizes]) -> Markup:
    columns = ("class", *check.splits, "side 5–50–95%, px", "best IoU", "no anchor")
    rows = []
    for name in check.class_names:
        counts = tuple(f"{split.objects[name]:,}" for split in check.splits.values())
        if name in sizes:
            side = "–".join(f"{value:.0f}" for value in sizes[name].side)
            rows.append((name, *counts, side, f"{sizes[name].best_iou:.2f}", f"{sizes[name].unmatched:,}"))
        else:
            rows.append((name, *counts, "–", "–", "–"))
    marked = frozenset(index for index, name in enumerate(check.class_names) if name in sizes and sizes[name].unmatched)
    return html.table(html.Table("Objects by class, as the network sees them", columns, tuple(rows), marked))


def _issue(issue: Issue, places: Mapping[str, ImageRef]) -> Markup:
    body = html.paragraph(f"What to do: {REMEDIES.get(issue.kind, issue.remedy)}.")
    examples = html.join(Markup("<li>{}</li>").format(_example(each, places)) for each in issue.examples[:SHOWN])
    body += Markup("<ul>{}</ul>").format(examples)
    if issue.count > SHOWN:
        body += html.paragraph(f"… and {issue.count - SHOWN:,} more.")
    title = f"{issue.count:,} {issue.what}"
    return html.details(f"Stops training: {title}" if issue.stops else title, body, opened=issue.stops)


def _example(text: str, places: Mapping[str, ImageRef]) -> Markup:
    parts = text.split(": ")
    place = places.get(": ".join(parts[:2]).partition(" (picture ")[0])
    return html.link(text, f"go {place.link}") if place else Markup.escape(text)

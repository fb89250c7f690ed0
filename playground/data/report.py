"""The check of a data set as HTML for the Picture step: its splits, its classes and its issues."""

from collections.abc import Mapping
from types import MappingProxyType

from markupsafe import Markup

from core.analysis.dataset_check import DataCheck
from core.analysis.image_check import ImageFacts
from core.analysis.issues import NO_ANCHOR, NO_TEST, NO_VAL, NOTHING_LEARNT, UNTRAINED_CLASS, Issue
from core.analysis.size_check import ClassSizes
from core.data.left_out import LeftOut, describe_count
from core.io.text import count_noun
from playground.components import html
from playground.data.image_ref import ImageRef

MAX_EXAMPLES = 8  # of an issue
# Remedies on the page, where that of the command line does not apply.
REMEDIES = MappingProxyType(
    {
        NO_VAL: "press Split in the Picture step",
        NO_TEST: "evaluate on val, or press Split in the Picture step",
        NOTHING_LEARNT: "press Split in the Picture step",
        UNTRAINED_CLASS: "press Split in the Picture step, stratified",
        NO_ANCHOR: "fit scales and ratios to the data set in the Anchors step, or increase the image size",
    }
)


def build_report(
    name: str,
    check: DataCheck,
    sizes: Mapping[str, ClassSizes],
    issues: tuple[Issue, ...],
    image_refs: Mapping[str, ImageRef] = MappingProxyType({}),
) -> Markup:
    """Returns the report of a data set as HTML.

    Args:
        name: The name of the data set.
        check: Its splits and classes.
        sizes: Sizes by class name, under the current settings.
        issues: The issues to list.
        image_refs: The pictures that issues name, see `map_image_refs`; an example becomes a link to its picture.
    """
    count = sum(split.pictures for split in check.splits.values())
    text = html.paragraph(f"{name}: {check.reading or check.format or 'unknown format'}")
    text += html.paragraph(
        f"{count_noun(count, 'picture')}, {count_noun(len(check.class_names), 'class', 'classes')}."
    ) + _build_left_out(check.left_out)
    text += _build_splits(check) + _build_classes(check, sizes)
    text += html.join(_build_issue(issue, image_refs) for issue in issues)
    if not issues:
        text += html.paragraph("No issues were found.")
    return text


def _build_left_out(left_out: LeftOut) -> Markup:
    """Returns the number of things that are left out; each is among the issues, with examples."""
    if not left_out:
        return Markup()
    parts = "; ".join(describe_count(kind, count) for kind, count in left_out.counts.items())
    return html.paragraph(f"Left out, with examples below: {parts}.")


def map_image_refs(name: str, annotations: Mapping[str, list[ImageFacts]]) -> dict[str, ImageRef]:
    """Returns a reference to each picture by its name in issues; the first one if several have the same name.

    Args:
        name: The name of the data set.
        annotations: The pictures of each split.
    """
    refs: dict[str, ImageRef] = {}
    for split, images in annotations.items():
        for index, image in enumerate(images):
            refs.setdefault(image.name, ImageRef(name, split, index))
    return refs


def _build_splits(check: DataCheck) -> Markup:
    rows = tuple(
        (name, f"{split.pictures:,}", f"{split.empty:,}", f"{sum(split.objects.values()):,}", f"{split.crowds:,}")
        for name, split in check.splits.items()
    )
    return html.table(html.Table("Splits", ("split", "pictures", "empty", "objects", "crowds"), rows))


def _build_classes(check: DataCheck, sizes: Mapping[str, ClassSizes]) -> Markup:
    columns = ("class", *check.splits, "side 5–50–95%, px", "best IoU", "no anchor")
    rows = tuple(_class_row(name, check, sizes.get(name)) for name in check.class_names)
    marked = frozenset(index for index, name in enumerate(check.class_names) if name in sizes and sizes[name].unmatched)
    return html.table(html.Table("Objects by class, as the network sees them", columns, rows, marked))


def _class_row(name: str, check: DataCheck, sizes: ClassSizes | None) -> tuple[str, ...]:
    counts = tuple(f"{split.objects[name]:,}" for split in check.splits.values())
    if sizes is None:
        return (name, *counts, "–", "–", "–")
    side = "–".join(f"{value:.0f}" for value in sizes.side)
    return (name, *counts, side, f"{sizes.best_iou:.2f}", f"{sizes.unmatched:,}")


def _build_issue(issue: Issue, image_refs: Mapping[str, ImageRef]) -> Markup:
    body = html.paragraph(f"What to do: {REMEDIES.get(issue.kind, issue.remedy)}.")
    examples = (_build_example(each, image_refs) for each in issue.examples[:MAX_EXAMPLES])
    body += Markup("<ul>{}</ul>").format(html.join(Markup("<li>{}</li>").format(each) for each in examples))
    if issue.count > MAX_EXAMPLES:
        body += html.paragraph(f"… and {issue.count - MAX_EXAMPLES:,} more.")
    title = f"{issue.count:,} {issue.what}"
    return html.details(f"Prevents training: {title}" if issue.stops else title, body, opened=issue.stops)


def _build_example(text: str, image_refs: Mapping[str, ImageRef]) -> Markup:
    """Returns an example of an issue, "split: name: …", as a link to the picture if that can be opened."""
    name = ": ".join(text.split(": ")[:2]).partition(" (picture ")[0]
    image_ref = image_refs.get(name)
    return html.link(text, f"go {image_ref.link}") if image_ref else Markup.escape(text)

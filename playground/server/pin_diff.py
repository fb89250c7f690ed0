"""The differences between the pinned settings, A, and the present ones: knobs, pictures, and every step's number."""

from typing import Any

from markupsafe import Markup

from core.config import Knob, knobs
from playground.components import html
from playground.layout.strip import StripCell
from playground.pipeline.networks import name_weights
from playground.pipeline.pipeline import Pipeline
from playground.state.settings import shorten, value_text
from playground.state.weight_names import NAME


def changes(pinned: Pipeline, present: Pipeline) -> Markup:
    """Returns as HTML the knobs that differ, each with its pinned and its present value."""
    before, after = pinned.config.to_flat(), present.config.to_flat()
    differing = [
        (knob.label, _value_text(knob, before[path]), _value_text(knob, after[path]))
        for path, knob in knobs().items()
        if before[path] != after[path]
    ]
    differing += _picture_changes(pinned, present)
    if not differing:
        return Markup("<p><b>A is pinned.</b> Nothing differs from it yet: move a knob.</p>")
    count = f"{len(differing)} change{'s' * (len(differing) > 1)} since A"
    items = html.join(_item(*each) for each in differing)
    return html.scroll(Markup("<p><b>{}</b></p><ul>{}</ul>").format(count, items), "changes since A")


def _value_text(knob: Knob, value: Any) -> str:
    return value_text(knob, name_weights(value) if knob.path == NAME else value)


def _picture_changes(pinned: Pipeline, present: Pipeline) -> list[tuple[str, str, str]]:
    """Returns changes of the picture that no knob shows: another image, drawn objects."""
    before, after = pinned.picture, present.picture
    if pinned.config.scenes != present.config.scenes:
        return []
    if before.pixels_key != after.pixels_key:
        return [("Picture", shorten(before.name), shorten(after.name))]
    if before.objects_key != after.objects_key:
        return [("Objects", f"{len(before.sample.boxes)} drawn", f"{len(after.sample.boxes)} drawn")]
    return []


def _item(name: str, old: str, new: str) -> Markup:
    return Markup("<li>{} <del>{}</del> → <ins>{}</ins></li>").format(name, old, new)


def counts(pinned: list[StripCell], present: list[StripCell]) -> Markup:
    """Returns as HTML a table of every step's number under the pinned and the present settings."""
    pairs = list(zip(pinned, present, strict=True))
    rows = tuple((old.part.title, old.headline, new.headline) for old, new in pairs)
    differing = frozenset(index for index, (old, new) in enumerate(pairs) if old.headline != new.headline)
    return html.table(html.Table("", ("step", "A, pinned", "B, now"), rows, differing))

"""New values for the parts of the page."""

from typing import NamedTuple


class PageUpdate(NamedTuple):
    """New values for the parts of the page; None leaves a part unchanged.

    Attributes:
        notice: Message to the visitor, "" for none.
        strip: The pipeline's steps with their live numbers.
        banner: What the weights know, if the picture is of another kind; see `playground.server.banner`.
        canvas: The picture with its layers.
        caption: Source and licence of the picture, if it is a photograph among the examples.
        readout: The step's numbers.
        figure: The step's figure.
        dials: The sliders and lists of the figure.
        more: What follows the figure.
        story: The first screen's sentence and bar, see `playground.steps.loss.story`; "" elsewhere.
        changes: Settings that differ from the pinned ones.
        beside: True to show the pinned picture beside the present one.
        other: The pinned picture.
        counts: The numbers of both.
        bar: The source of the picture.
        lesson: The lesson's question and its effects on the page.
        checks: The lesson's claims, each with the present number.
        album: The visitor's own pictures.
        idle: The knobs that do not act, see `playground.server.idle`.
        postponed: No part of the page: True if slow results were skipped, see `PageState.held`.
    """

    notice: str
    strip: str | None = None
    banner: str | None = None
    canvas: str | None = None
    caption: str | None = None
    readout: str | None = None
    figure: str | None = None
    dials: str | None = None
    more: str | None = None
    story: str | None = None
    changes: str | None = None
    beside: bool | None = None
    other: str | None = None
    counts: str | None = None
    bar: str | None = None
    lesson: str | None = None
    checks: str | None = None
    album: str | None = None
    idle: str | None = None
    postponed: bool | None = None


# The order in which the browser paints an answer: the parts of one stage in one frame, the next stage a frame later;
# a figure whose lines alone move is painted with the picture (`painter.js`).
# `beside` is missing since only Gradio's events change it.
PAINT_STAGES = (
    ("canvas", "other", "banner", "notice", "story"),
    ("figure", "dials", "more"),
    ("strip", "caption", "readout", "counts", "changes", "bar", "lesson", "checks", "album", "idle"),
)

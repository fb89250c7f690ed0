"""The table of the results of a comparison's variants, beside those of the paper."""

from markupsafe import Markup

from core.experiments.comparison import Row
from core.experiments.presets import Preset
from playground.components import html

ABOUT = (
    "RetinaNet with ResNet-50 on COCO, pictures of 600 px, 90,000 steps of 16; AP in percent. (OHEM, and focal loss "
    "beside it: ResNet-101.)"
)
SHORT_RUNS = (
    "A run of a minute shows what breaks down, where a loss starts and how many anchors train. It cannot show which "
    "setting is best in the end: nothing has levelled off, and all variants share one learning rate, which may suit "
    "some of them better than others."
)
ORDER = "Another order than in the paper does not contradict it."
COLUMNS = ("variant", "AP here", "AP50", "AP75", "loss, first → last", "foreground per step", "images/s")
IN_THE_PAPER = "AP in the paper"


def make_table(title: str, table: list[Row], preset: Preset) -> Markup:
    """Returns the results of each variant, beside the paper's if it has any."""
    found = {variant.name: variant.paper for variant in preset.variants if variant.paper is not None}
    cells = tuple(
        (
            row.variant + (f" ({row.failed} of {row.runs} diverged)" if row.failed else ""),
            format_spread(row.ap, row.ap_low, row.ap_high),
            html.number(row.ap50),
            html.number(row.ap75),
            f"{html.number(row.first_loss, '.2f')} → {html.number(row.last_loss, '.4g')}",
            html.number(row.foreground, ".0f"),
            html.number(row.images_per_second, ".1f"),
            *((format_ap(found.get(row.variant)),) if found else ()),
        )
        for row in table
    )
    columns = (*COLUMNS, IN_THE_PAPER) if found else COLUMNS
    note = f"{IN_THE_PAPER}: {ABOUT} {SHORT_RUNS} {ORDER}" if found else SHORT_RUNS
    return html.table(html.Table(title, columns, cells)) + html.paragraph(note)


def format_spread(mean: float | None, low: float | None, high: float | None) -> str:
    """Formats a mean with the lowest and the highest value, unless they are equal."""
    text = html.number(mean)
    return text if low == high else f"{text} ({html.number(low)}–{html.number(high)})"


def format_ap(ap: float | None) -> str:
    """Formats an AP of the paper in percent; "–" for None."""
    return html.number(ap, ".1f")

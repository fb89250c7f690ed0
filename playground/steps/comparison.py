"""Comparisons of short runs: their curves, the results of each variant, and results that were measured beforehand."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from markupsafe import Markup

from core.experiments.comparison import VARIANT_KEY, Row, read_result, summarise_variants
from core.experiments.paper_results import BESIDE_OHEM
from core.experiments.presets import PRESETS, Preset
from core.io.paths import ASSETS
from core.io.text import count_noun
from core.runs.folder import DIVERGED, FAILED
from playground.components import html
from playground.components.figures import PALETTE, Figure, Line, Mark, comparison, mark, show_points
from playground.runs.curves import average_points, describe_divergence, keep_points, name_last_step
from playground.runs.progress import RunProgress, RunRecords
from playground.runs.reader import hide_paths

ABOUT = (
    "RetinaNet with ResNet-50 on COCO, pictures of 600 px, 90,000 steps of 16; AP in percent. (OHEM, and focal loss "
    "beside it: ResNet-101.)"
)
SHORT_RUNS = (
    "A run of a minute shows what breaks down, where a loss starts and how many anchors train. It cannot show which "
    "setting is best in the end: nothing has levelled off, and all variants share one learning rate, which may suit "
    "some losses better than others. Another order than in the paper does not contradict it."
)

RIVALS = (
    "The paper claims that RetinaNet outperforms the two-stage Faster R-CNN. Here both have a ResNet-18 and a pyramid "
    "of the same width, are initialised at random, and see the same scenes, batches and learning rates; neither was "
    "tuned. Times are for one image at a time on a CPU with two cores. In runs this short the two-stage detector is "
    "far ahead in AP, and slower per image. The claim is about training for 90,000 steps of 16 images, which this does "
    "not test; the built-in RetinaNet was trained for 8,500 steps of 8."
)
BEST_RATES = (
    "New heads, and the built-in pyramid, on its frozen backbone; scenes of 256 px with one or two small objects. "
    "Short runs chose the learning rate of each loss, by AP, or by the loss where no rate led to any AP; it was then "
    "trained with other seeds, each time to the end of its schedule. What the paper reports took 90,000 steps of 16 "
    "pictures, and its network was trained as a whole; that with OHEM was a larger one, which had "
    f"{BESIDE_OHEM} with focal loss."
)
METHODS = (
    "New heads, and the built-in pyramid, on its frozen backbone; scenes of 128 px in which the last three of six "
    "classes are rare: they have 6%, 2.5% and 1% as many objects as the first. Each seed has scenes and initial heads "
    "of its own, which all methods share, so that each is compared with the default of the same seed. All have the "
    "default's learning rate, which may suit some better than others, and too few steps to level off: what helps here "
    "need not help a long run. Methods of inference see the default's weights. Times are processor time on one "
    "thread."
)
COLUMNS = ("variant", "AP here", "AP50", "AP75", "loss, first → last", "foreground per step", "images/s")
IN_THE_PAPER = "AP in the paper"


def figure(progress: RunProgress) -> Figure:
    """Returns the curves of a comparison."""
    losses: list[Line] = []
    precision: list[Line] = []
    broken: list[Line] = []  # the box losses that diverged first
    marks = []
    for curve, tint in zip(progress.records, PALETTE, strict=False):
        name, divergence = curve.run.variant.name, curve.divergence
        losses.append((name, tint, *_points(curve, "classification")))
        if divergence:
            ended = losses[-1]
            if divergence.broken == ("box",):
                ended = f"{name}: box loss", tint, *_points(curve, "box")
                broken.append(ended)
            _, _, steps, values = ended
            marks.append(Mark(f"{name}: {name_last_step(divergence, steps[-1])}", tint, steps[-1], values[-1]))
        at = [record["step"] for record in curve.evaluations]
        precision.append((f"{name}: AP", tint, at, [record["metrics"]["ap"] for record in curve.evaluations]))
    diverged = {curve.run.variant.name for curve in progress.records if curve.divergence}
    return mark(show_points(comparison(losses, precision, broken), diverged | {each[0] for each in broken}), marks)


def _points(curve: RunRecords, loss: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns the steps and the losses of a run; those of a run that diverged are not averaged."""
    thin = keep_points if curve.divergence else average_points
    return thin([(record["step"], record[loss]) for record in curve.steps])


def status(progress: RunProgress, preset: Preset) -> Markup:
    """Returns the description of a comparison and its results so far.

    Args:
        progress: Of the comparison.
        preset: Of the comparison.
    """
    text = html.paragraph(f"{preset.title}: {progress.state}. {progress.status.message}".strip())
    text += html.said(f"{preset.title}: {progress.state}.")
    text += html.paragraph(preset.description)
    results = [read_result(curve.run) for curve in progress.records]
    broken = (
        f"{each.variant}: {hide_paths(each.message, curve.run.folder).partition(';')[0]}. {_explain(curve)}".strip()
        for each, curve in zip(results, progress.records, strict=True)
        if each.state in (DIVERGED, FAILED)
    )
    return (
        text
        + _table("This comparison so far", summarise_variants(results), preset)
        + html.join(map(html.paragraph, broken))
    )


def _explain(records: RunRecords) -> str:
    return describe_divergence(records.divergence) if records.divergence else ""


def measured(keys: Iterable[str] = PRESETS) -> Markup:
    """Returns the results of presets that were measured beforehand, each in a closed section; "" if there are none."""
    kept = _read_results("presets.json")
    return html.join(
        html.details(
            f"Measured here: {PRESETS[key].title}",
            html.paragraph(PRESETS[key].description)
            + _table(kept[key]["title"], read_measured_rows(key), PRESETS[key]),
        )
        for key in keys
        if key in kept
    )


def rivals() -> Markup:
    """Returns the comparison with torchvision's detectors as measured beforehand; "" if there is none."""
    kept = _read_results("rivals.json")
    if not kept:
        return Markup()
    columns = ("detector", "AP", "AP50", "small", "medium", "large", "ms per image")
    text = html.paragraph(RIVALS)
    for group in kept["groups"]:
        cells = tuple(
            (
                row["detector"],
                _spread(row["ap"], row["ap_low"], row["ap_high"]),
                *(html.number(row[name]) for name in ("ap50", "ap_small", "ap_medium", "ap_large")),
                html.number(row["milliseconds"], ".0f"),
            )
            for row in group["rows"]
        )
        text += html.table(html.Table(group["title"], columns, cells))
        text += html.paragraph(f"Command: {group['command']}")
    return html.details("One stage or two: RetinaNet against Faster R-CNN", text)


def best_rates() -> Markup:
    """Returns the losses of the paper, each trained with its own best learning rate; "" without results."""
    kept = _read_results("best_rates.json")
    if not kept:
        return Markup()
    tries = "rates tried: AP of a short run (its loss if AP is 0)"
    columns = ("loss", tries, "rate", "AP", "AP50", "AP75", "AP at each tenth", IN_THE_PAPER)
    cells = tuple(
        (
            row[VARIANT_KEY] + (f" ({row['failed']} of {row['runs']} diverged)" if row["failed"] else ""),
            _list_tries(tried),
            f"{tried['best']:g}",
            _spread(row["ap"], row["ap_low"], row["ap_high"]),
            html.number(row["ap50"]),
            html.number(row["ap75"]),
            " ".join(html.number(ap, ".2f") for _, ap in kept["history"][row[VARIANT_KEY]]),
            format_ap(row["paper"]),
        )
        for row, tried in zip(kept["rows"], kept["search"], strict=True)
    )
    title = f"{kept['settings']['training.steps']:,} steps, {count_noun(kept['rows'][0]['runs'], 'seed')}"
    text = html.paragraph(BEST_RATES) + html.table(html.Table(title, columns, cells))
    return html.details("Each loss at its own best learning rate", text + html.paragraph(f"Command: {kept['command']}"))


def _list_tries(tried: dict[str, Any]) -> str:
    """Returns the AP of each rate that was tried; one without any has the loss of its last steps."""
    losses = {rate: "diverged" if loss is None else f"{loss:.2f}" for rate, loss in tried["last_loss"].items()}
    return ", ".join(
        f"{rate}: {html.number(ap)}" + ("" if ap else f" ({losses[rate]})") for rate, ap in tried["ap"].items()
    )


def methods() -> Markup:
    """Returns what users of RetinaNet ask for, each method against the default; "" without results."""
    kept = _read_results("methods.json")
    if not kept:
        return Markup()
    columns = ("method", "AP", "gain by seed", "AP50", "AP of rare classes", "their gain", "ms a step", "ms a scene")
    cells = tuple(
        (
            row["method"] + (f" ({row['failed']} of {row['seeds']} ended early)" if row["failed"] else ""),
            html.number(row["ap"]),
            _judge(row["ap_gain"]),
            html.number(row["ap50"]),
            html.number(row["rare_ap"]),
            _judge(row["rare_ap_gain"]),
            *(html.number(each and 1000 * each, ".0f") for each in (row["step_seconds"], row["image_seconds"])),
        )
        for row in kept["rows"]
    )
    steps, seeds = kept["settings"]["training.steps"], max(row["seeds"] for row in kept["rows"])
    text = html.paragraph(METHODS) + html.table(
        html.Table(f"{steps} steps, {count_noun(seeds, 'seed')}", columns, cells)
    )
    tested = tuple((row["method"], row["tested"]) for row in kept["rows"] if row["tested"])
    text += html.table(html.Table("What the code of each is tested against", ("method", "equation: tests"), tested))
    return html.details("What users ask for, against the default", text + html.paragraph(f"Command: {kept['command']}"))


def _judge(gain: list[float] | None) -> str:
    """Returns a difference from the default, and whether all seeds agree on its sign; "–" for none."""
    if gain is None or not any(gain):
        return "–"
    mean, low, high = gain
    agree = "better in all" if low > 0 else "worse in all" if high < 0 else "undecided"
    return f"{mean:+.3f} ({low:+.3f} … {high:+.3f}), {agree}".replace("-", "−")


def read_measured_rows(key: str) -> list[Row]:
    """Returns the results of each variant of a preset as measured beforehand; empty if there are none."""
    return [Row.from_dict(row) for row in _read_results("presets.json").get(key, {}).get("rows", ())]


@cache
def _read_results(name: str) -> dict[str, Any]:
    path = ASSETS / name
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _table(title: str, table: list[Row], preset: Preset) -> Markup:
    """Returns the results of each variant, beside the paper's if it has any."""
    found = {variant.name: variant.paper for variant in preset.variants if variant.paper is not None}
    cells = tuple(
        (
            row.variant + (f" ({row.failed} of {row.runs} diverged)" if row.failed else ""),
            _spread(row.ap, row.ap_low, row.ap_high),
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
    note = html.paragraph(f"{IN_THE_PAPER}: {ABOUT} {SHORT_RUNS}") if found else Markup()
    return html.table(html.Table(title, columns, cells)) + note


def _spread(mean: float | None, low: float | None, high: float | None) -> str:
    text = html.number(mean)
    return text if low == high else f"{text} ({html.number(low)}–{html.number(high)})"


def format_ap(ap: float | None) -> str:
    """Formats an AP of the paper in percent; "–" for None."""
    return html.number(ap, ".1f")

"""Results of comparisons that were measured beforehand, which a run of a minute cannot show."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from markupsafe import Markup

from core.experiments.comparison import VARIANT_KEY, Row
from core.experiments.paper_results import BESIDE_OHEM, STAGES
from core.experiments.presets import PRESETS
from core.io.paths import ASSETS
from core.io.text import count_noun
from playground.components import html
from playground.steps.comparison.table import IN_THE_PAPER, format_ap, format_spread, make_table

RIVALS = (
    "The paper claims that RetinaNet outperforms the two-stage Faster R-CNN. Here both have a ResNet-18 and a pyramid "
    "of the same width, are initialised at random, and see the same scenes, batches and learning rates; neither was "
    "tuned. Faster R-CNN has the finer level P2 as well, as is usual, and trains its second stage on 128 regions of a "
    "picture. Times are for one image at a time on a CPU with two cores."
)
RIVALS_FOUND = (
    "After 500 and 1,500 steps the two-stage detector is far ahead in AP. After 8,500, as many as the built-in "
    "weights had, it still leads, by 0.04: by 0.07 for small objects, 0.02 for medium and 0.03 for large ones; "
    "RetinaNet takes less than half the time per image. At this size the claim is not true. In the paper RetinaNet is "
    "ahead by 1.6 in AP, after 90,000 steps of 16 images, and behind in AP50. Detectron2's model zoo, which trains "
    "both alike (ResNet-101, 270,000 steps), has 42.0 for Faster R-CNN and 40.4 for RetinaNet, 39.9 in its first "
    "version. (In the two shorter comparisons the boxes of torchvision's detectors were rounded to bfloat16 in "
    "training. That of 8,500 steps has one seed. Times are comparable within a table.)"
)
BEST_RATES = (
    "New heads, and the built-in pyramid, on its frozen backbone; scenes of 256 px with one or two small objects. "
    "Short runs chose the learning rate of each loss, by AP, or by the loss where no rate led to any AP; it was then "
    "trained with other seeds, each time to the end of its schedule. What the paper reports took 90,000 steps of 16 "
    "pictures, and its network was trained as a whole; that with OHEM was a larger one, which had "
    f"{BESIDE_OHEM} with focal loss."
)
BEST_RATES_FOUND = (
    "Focal loss and OHEM rise by less than 0.03 in the last fifth of the run and end close together; in the paper OHEM "
    "is behind. Both cross-entropies find nothing for hundreds of steps and end at less than a quarter of that AP, not "
    "because they have levelled off but because the schedule ends: in the paper, with 120 times as many pictures, "
    "cross-entropy reached 89% of the AP of focal loss. What focal loss saves here is time. For α = 0.75 the highest "
    "rate that was tried was the best one."
)
METHODS = (
    "New heads, and the built-in pyramid, on its frozen backbone; scenes of 128 px in which the last three of six "
    "classes are rare: they have 6%, 2.5% and 1% as many objects as the first. Each seed has scenes and initial heads "
    "of its own, which all methods share, so that each is compared with the default of the same seed. All have the "
    "default's learning rate, which may suit some better than others, and too few steps to level off: what helps here "
    "need not help a long run. Methods of inference see the default's weights. Times are processor time on one "
    "thread."
)


def show_measured() -> Markup:
    """Returns all results, each in a closed section."""
    return show_presets() + show_methods() + show_best_rates() + show_rivals()


def show_presets(keys: Iterable[str] = PRESETS) -> Markup:
    """Returns the results of presets that were measured beforehand, each in a closed section; "" if there are none."""
    kept = _read_results("presets.json")
    return html.join(
        html.details(
            f"Measured here: {PRESETS[key].title}",
            html.paragraph(PRESETS[key].description)
            + make_table(kept[key]["title"], read_measured_rows(key), PRESETS[key]),
        )
        for key in keys
        if key in kept
    )


def show_rivals() -> Markup:
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
                format_spread(row["ap"], row["ap_low"], row["ap_high"]),
                *(html.number(row[name]) for name in ("ap50", "ap_small", "ap_medium", "ap_large")),
                html.number(row["milliseconds"], ".0f"),
            )
            for row in group["rows"]
        )
        text += html.table(html.Table(group["title"], columns, cells))
        text += html.paragraph(f"Command: {group['command']}")
    published = tuple((each.name, *(f"{value:.1f}" for value in each[1:-1]), str(each.milliseconds)) for each in STAGES)
    title = "In the paper: ResNet-101 on COCO, AP in percent, times on its GPU"
    text += html.table(html.Table(title, columns, published))
    text += html.paragraph(RIVALS_FOUND)
    return html.details("One stage or two: RetinaNet against Faster R-CNN", text)


def show_best_rates() -> Markup:
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
            format_spread(row["ap"], row["ap_low"], row["ap_high"]),
            html.number(row["ap50"]),
            html.number(row["ap75"]),
            " ".join(html.number(ap, ".2f") for _, ap in kept["history"][row[VARIANT_KEY]]),
            format_ap(row["paper"]),
        )
        for row, tried in zip(kept["rows"], kept["search"], strict=True)
    )
    title = f"{kept['settings']['training.steps']:,} steps, {count_noun(kept['rows'][0]['runs'], 'seed')}"
    text = html.paragraph(BEST_RATES) + html.table(html.Table(title, columns, cells)) + html.paragraph(BEST_RATES_FOUND)
    return html.details("Each loss at its own best learning rate", text + html.paragraph(f"Command: {kept['command']}"))


def _list_tries(tried: dict[str, Any]) -> str:
    """Returns the AP of each rate that was tried; one without any has the loss of its last steps."""
    losses = {rate: "diverged" if loss is None else f"{loss:.2f}" for rate, loss in tried["last_loss"].items()}
    return ", ".join(
        f"{rate}: {html.number(ap)}" + ("" if ap else f" ({losses[rate]})") for rate, ap in tried["ap"].items()
    )


def show_methods() -> Markup:
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
    tested = tuple((row["method"], _let_break(row["tested"])) for row in kept["rows"] if row["tested"])
    text += html.table(html.Table("What the code of each is tested against", ("method", "equation: tests"), tested))
    return html.details("What users ask for, against the default", text + html.paragraph(f"Command: {kept['command']}"))


def _let_break(path: str) -> Markup:
    """Returns a text with paths, which may go on in a new line after each slash: the column is narrow."""
    return Markup("/<wbr>").join(path.split("/"))


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

"""The stability atlas on the page: the map, the choice of its axes, and the chosen run with its curve."""

import math
from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from core.config import Circumstances, format_value, knobs
from core.experiments.atlas import (
    ALPHA,
    BASE,
    GAMMA,
    KIND,
    PRIOR,
    RATE,
    Place,
    find_nearest,
    find_values,
    parse_key,
    reduce_place,
    to_key,
)
from core.experiments.atlas_file import Atlas, build_command, shipped_atlas
from core.experiments.atlas_outcome import DIVERGES, LEARNS, LEARNT, RISEN, STALLS, Run, classify, classify_all
from core.io.text import count_noun
from playground.components import html
from playground.pipeline.pipeline import Pipeline
from playground.steps.atlas.map import (
    ACROSS,
    DOWN,
    HERE,
    LABELS,
    NAMES,
    SIGNS,
    build_map,
    describe,
    describe_score,
    list_rows,
)
from playground.steps.dials import Dials
from playground.support.wording import name_choice

TITLE = "Stability atlas: what learns, stalls and diverges"
LEAST_LOSS = 1e-6  # below which a logarithmic curve is cut
PLACE, REPEAT = "place", "repeat"  # first words of links that set the knobs
USUAL_AXES = (RATE, PRIOR)
MOVES = dict.fromkeys((GAMMA, ALPHA, PRIOR, KIND, RATE), "the stability atlas")
ABOUT = (
    "Short runs, made beforehand: {places} combinations of loss, γ, α, prior π and learning rate, {seeds}, {steps} "
    "steps of {batch} scenes of {size} px; {hours:.1f} hours of one processor in all. They train new heads on the "
    "frozen built-in backbone. As in the paper they have plain SGD without warm-up or gradient clipping; unlike there, "
    "their heads are normalised. Axes that are not on the map follow your settings; {here} is the nearest place."
)
CRITERION = {
    LEARNS: "AP50 on {images} held-out scenes reaches {learnt:g}",
    DIVERGES: "the loss is no number, stays far above its first value, or ends above {risen:g} times it",
    STALLS: "neither",
}
LIMITS = (
    "So short a run shows who breaks down and who has begun to learn. What stalls here may learn later, and what "
    "learns first is not the best in the end. Near a border another seed may end otherwise. Another optimizer, "
    "warm-up, clipping, heads, scenes and batch sizes move the borders."
)
WITHOUT_LOSS = "The atlas has no runs with your loss, {}; it is drawn for {} instead."


def build_atlas(pipeline: Pipeline, dials: Dials) -> Markup:
    """Returns the atlas in a closed section."""
    atlas, config = shipped_atlas(), pipeline.config
    values = find_values(config)
    here = reduce_place(values)
    chosen = parse_key(dials.atlas) if dials.atlas else here
    across, down = choose_axes(dials)
    text = html.paragraph(_describe_runs(atlas))
    if find_nearest(config) is None:
        text += html.paragraph(WITHOUT_LOSS.format(name_choice(config.loss.kind), name_choice(here[0])))
    text += _tabs("Across", ACROSS, across, without=down) + _tabs("Down", DOWN, down, without=across)
    text += build_map(atlas, list_rows(values, across, down), across, down, here, chosen)
    text += _describe_outcomes() + _build_runs(atlas, chosen) + _compare_settings(pipeline)
    return html.details(TITLE, text + html.paragraph(LIMITS))


def choose_axes(dials: Dials) -> tuple[str, str]:
    """Returns the paths of the horizontal and the vertical axis, which differ."""
    across, down = NAMES[dials.across], NAMES[dials.down]
    if across == down:
        down = next(path for path in USUAL_AXES if path != across)
    return across, down


def _tabs(label: str, dial: str, current: str, *, without: str) -> Markup:
    """Returns the choice of an axis; `without` is the other axis."""
    links = [html.dial(LABELS[path], dial, name, on=path == current) for name, path in NAMES.items() if path != without]
    return html.tabs(label, [Markup("<span>{}</span>").format(label), *links])


def _describe_runs(atlas: Atlas) -> str:
    seeds = Counter(len(runs) for runs in atlas.runs.values())
    few, many = min(seeds), max(seeds)
    said = f"{count_noun(few, 'seed')} each" + (f" and {many} for {seeds[many]} of them" if few < many else "")
    return ABOUT.format(
        places=len(atlas.runs),
        seeds=said,
        steps=atlas.base["training.steps"],
        batch=atlas.base["training.batch_size"],
        size=atlas.base["scenes.image_size"],
        hours=atlas.seconds * sum(len(runs) for runs in atlas.runs.values()) / 3600,
        here=HERE,
    )


def _describe_outcomes() -> Markup:
    values = {"images": BASE["training.eval_images"], "learnt": LEARNT, "risen": RISEN}
    items = html.join(
        Markup("<li>{} {}: {}</li>").format(SIGNS[outcome], outcome, text.format(**values))
        for outcome, text in CRITERION.items()
    )
    return Markup("<ul>{}</ul>").format(items)


def _build_runs(atlas: Atlas, place: Place) -> Markup:
    """Returns the runs of a place with their curves, the links that set the knobs, and the command that repeats one."""
    runs = atlas.runs[place]
    text = html.heading(describe(place)) + html.paragraph(_describe_place(runs))
    text += html.small_curves([_curve(run) for run in runs if run.curve])
    key = to_key(place)
    links = (
        html.link("Use these values", f"{PLACE} {key}"),
        html.link("Use all settings of this run", f"{REPEAT} {key}"),
    )
    return text + html.tabs("Settings", links) + html.details("The command", _code(build_command(place, runs[0].seed)))


def _describe_place(runs: Sequence[Run]) -> str:
    outcome = classify_all(runs)
    agree = sum(classify(run) == outcome for run in runs)
    of_seeds = f" with {agree} of {len(runs)} seeds" if len(runs) > 1 else ""
    return f"{SIGNS[outcome]} {outcome}{of_seeds}{describe_score(runs)}."


def _curve(run: Run) -> tuple[str, str, Sequence[float]]:
    """Returns the loss of a run, on a logarithmic axis, with its first and last value."""
    losses = [loss for _, loss in run.curve]
    name = f"loss, seed {run.seed}, step 1 → {run.ended}"
    return name, f"{html.number(losses[0], '.3g')} → {html.number(losses[-1], '.3g')}", [_log(loss) for loss in losses]


def _log(loss: float) -> float:
    return math.log10(max(loss, LEAST_LOSS))


def _code(command: str) -> Markup:
    return Markup("<p><code>{}</code></p>").format(command)


def _compare_settings(pipeline: Pipeline) -> Markup:
    """Returns in which of the settings that all runs share the visitor's differ."""
    config = pipeline.config
    values, circumstances = config.to_flat(), Circumstances(generated=pipeline.picture.is_scene)
    others = [
        f"{knobs()[path].label} {format_value(value)}"
        for path, value in BASE.items()
        if values[path] != value and knobs()[path].acts(config, circumstances)
    ]
    return html.paragraph(f"Unlike your settings, the runs have: {', '.join(others)}.") if others else Markup()

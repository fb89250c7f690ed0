"""The stability atlas on the page: the map, the choice of its axes, and the chosen run with its curve."""

import math
from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from core.config import POSTPROCESSING, Circumstances, Config, knobs
from core.experiments.atlas import (
    ALPHA,
    AXES,
    BASE,
    GAMMA,
    KIND,
    PRIOR,
    RATE,
    Place,
    build_config,
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
    name_value,
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
    "steps of {batch} scenes of {size} px; about {hours:.1f} hours of one processor in all. They train new heads and "
    "the built-in pyramid on its frozen backbone. As in the paper they have SGD with momentum, without warm-up or "
    "gradient clipping; unlike in the paper, their heads are normalised. Axes that are not on the map follow your "
    "settings."
)
CRITERION = {
    LEARNS: "AP50 on {images} held-out scenes reaches {learnt:g}",
    DIVERGES: "the loss is not a number, stays far above its first value, or ends above {risen:g} times it",
    STALLS: "neither",
}
LIMITS = (
    "So short a run shows who breaks down and who has begun to learn. What stalls here may learn later, and what "
    "learns first need not be the best in the end. Near a border another seed may end otherwise. Another optimizer, "
    "warm-up, clipping, heads, scenes and batch sizes move the borders."
)
NEAREST = f"{HERE} is the place that is nearest to your settings."
WITHOUT_LOSS = "The atlas has no runs with your loss, {}; it is drawn for {} instead, and no place is marked as yours."
OTHER_RATES = (
    "Your learning rate is {}'s, and the runs have {}, where the same number means another step: no place is marked "
    "as yours."
)
OPTIMIZER, SEED = "training.optimizer", "training.seed"


def build_atlas(pipeline: Pipeline, dials: Dials) -> Markup:
    """Returns the atlas in a section, which is open where a link or a click has chosen a place or an axis."""
    atlas, config = shipped_atlas(), pipeline.config
    values = find_values(config)
    here = reduce_place(values)
    chosen = parse_key(dials.atlas) if dials.atlas else here
    across, down = choose_axes(dials)
    missing = _explain_missing(config, here)
    text = html.paragraph(_describe_runs(atlas)) + html.paragraph(missing or NEAREST)
    text += _tabs("Across", ACROSS, across, without=down) + _tabs("Down", DOWN, down, without=across)
    text += build_map(atlas, list_rows(values, across, down), across, down, None if missing else here, chosen)
    text += _describe_outcomes() + _build_runs(atlas, chosen) + _compare_settings(pipeline, chosen)
    usual = Dials()
    is_chosen = bool(dials.atlas) or (dials.across, dials.down) != (usual.across, usual.down)
    return html.details(TITLE, text + html.paragraph(LIMITS), opened=is_chosen)


def _explain_missing(config: Config, here: Place) -> str:
    """Returns why no place is near the settings, "" if one is."""
    if find_nearest(config) is None:
        return WITHOUT_LOSS.format(name_choice(config.loss.kind), name_choice(here[0]))
    optimizers = config.training.optimizer, BASE[OPTIMIZER]
    return OTHER_RATES.format(*map(name_choice, optimizers)) if optimizers[0] != optimizers[1] else ""


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


def _compare_settings(pipeline: Pipeline, place: Place) -> Markup:
    """Returns which settings of the runs differ from the visitor's, beside the axes; no others of the detections."""
    config = pipeline.config
    values, circumstances = config.to_flat(), Circumstances(generated=pipeline.picture.is_scene)
    of_run = build_config(place, 0).to_flat()
    paths = [
        path
        for path in dict.fromkeys((*BASE, *of_run))
        if path in BASE or (path not in (*AXES, SEED) and knobs()[path].effect not in POSTPROCESSING)
    ]
    others = [
        f"{knobs()[path].label} {name_value(path, of_run[path])}"
        for path in paths
        if values[path] != of_run[path] and knobs()[path].acts(config, circumstances)
    ]
    return html.paragraph(f"Unlike your settings, the runs have: {', '.join(others)}.") if others else Markup()

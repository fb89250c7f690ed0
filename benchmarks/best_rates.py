"""Compares the losses of the paper, each at its own best learning rate, with the imbalance of real pictures.

`python -m benchmarks.best_rates --work DIR --json assets/best_rates.json`; repeat the command to resume it. A scene has
one or two small objects, so that about one anchor in a thousand is foreground, as in COCO pictures. For each loss,
short runs with a seed of their own choose the rate, by AP, or by the loss where it finds nothing at any rate yet; where
the best one is the lowest or the highest, the next one is tried too. Then each loss is trained with its rate and
several seeds, and evaluated along the way, so that one sees whether AP has levelled off.
"""

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from core.cli.training.compare import format_table
from core.experiments.comparison import Result, plan_runs, read_result, run_comparison, summarise_variants
from core.experiments.paper_results import ALPHA, GAMMA, PRIOR
from core.experiments.presets import PRESETS, Preset, Variant
from core.io.atomic import write_text
from core.runs.folder import FINISHED

RATE, SEED = "training.learning_rate", "training.seed"
RATES = (0.0005, 0.001, 0.002)  # tried first
FACTOR = 2.0  # between neighbouring rates
FURTHER = 2  # rates tried beyond them at most
SEARCH_SEED = 100  # of the runs that choose the rate
TITLE = "Each loss at its own best learning rate"
LOSSES = (
    Variant("focal loss, γ = 2, α = 0.25", {}, GAMMA[2].ap),
    Variant("cross-entropy", {"loss.kind": "cross_entropy"}, PRIOR),
    Variant("cross-entropy, α = 0.75", {"loss.kind": "balanced_cross_entropy", "loss.alpha": 0.75}, ALPHA[0.75]),
    PRESETS["ohem"].variants[1],  # its figure in the paper is of a ResNet-101, 3.2 below focal loss beside it
)
SETTINGS: dict[str, Any] = {
    "scenes.image_size": 256,
    "inference.image_size": 256,
    "scenes.min_objects": 1,
    "scenes.max_objects": 2,
    "scenes.min_size": 0.08,
    "scenes.max_size": 0.16,
}


def main() -> None:
    """Trains the unfinished runs, prints both tables and writes them as JSON."""
    options = _parse()
    lengths = {"training.steps": options.steps, "training.eval_interval": max(1, options.steps // 10)}
    rates, searched = {}, []
    for number, loss in enumerate(LOSSES):
        tried = search_rate(loss, options.work / f"search-{options.search_steps}" / f"{number}", options.search_steps)
        rates[loss.name] = best_rate(tried)
        searched.append({"loss": loss.name, **list_tried(tried), "best": rates[loss.name]})
        found = (f"{rate:g}: AP {each.ap:.3f}, loss {each.loss:.3g}" for rate, each in tried.items())
        print(f"{loss.name}: {'; '.join(found)}", flush=True)
    losses = [each._replace(settings={**each.settings, RATE: rates[each.name]}) for each in LOSSES]
    preset = Preset(TITLE, "", tuple(losses), {**SETTINGS, **lengths})
    results = train_all(preset, options.work / f"final-{options.search_steps}-{options.steps}", options.seeds)
    rows = summarise_variants(results)
    print(format_table(rows, {each.name: each.paper for each in LOSSES}), flush=True)
    if options.json:
        arguments = f"--steps {options.steps} --search-steps {options.search_steps} --seeds {options.seeds}"
        table = {
            "command": f"python -m benchmarks.best_rates --work DIR {arguments}",
            "settings": dict(preset.settings),
            "search": searched,
            "rows": [{**row.to_dict(), "paper": loss.paper} for row, loss in zip(rows, LOSSES, strict=True)],
            "history": {loss.name: mean_history(results, loss.name) for loss in LOSSES},
        }
        write_text(options.json, json.dumps(table, indent=1) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--search-steps", type=int, default=300, help="steps of a run that chooses the rate")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


class Tried(NamedTuple):
    """What a loss reaches at a rate.

    Attributes:
        ap: AP, 0 if it diverged.
        loss: Classification loss of its last steps, infinite if it diverged.
    """

    ap: float
    loss: float


def search_rate(loss: Variant, folder: Path, steps: int) -> dict[float, Tried]:
    """Returns what a loss reaches at each rate tried, by rate in increasing order."""
    tried = {rate: _try_rate(loss, rate, folder, steps) for rate in RATES}
    for _ in range(FURTHER):
        best = best_rate(tried)
        if best not in (min(tried), max(tried)):
            break
        further = best / FACTOR if best == min(tried) else best * FACTOR
        tried[further] = _try_rate(loss, further, folder, steps)
    return dict(sorted(tried.items()))


def best_rate(tried: Mapping[float, Tried]) -> float:
    """Returns the rate with the highest AP; of equal ones that with the lowest loss, then the lowest."""
    return min(tried, key=lambda rate: (-tried[rate].ap, tried[rate].loss, rate))


def list_tried(tried: Mapping[float, Tried]) -> dict[str, dict[float, float | None]]:
    """Returns the AP and the last loss at each rate, None for an infinite one, for JSON."""
    losses = {rate: each.loss if math.isfinite(each.loss) else None for rate, each in tried.items()}
    return {"ap": {rate: each.ap for rate, each in tried.items()}, "last_loss": losses}


def _try_rate(loss: Variant, rate: float, folder: Path, steps: int) -> Tried:
    """Returns what a short run reaches."""
    variant = loss._replace(settings={**loss.settings, RATE: rate})
    own = {"training.steps": steps, "training.eval_interval": 0, "training.eval_images": 64}
    [result] = train_all(
        Preset(TITLE, "", (variant,), {**SETTINGS, **own}), folder / f"{rate:g}", 1, {SEED: SEARCH_SEED}
    )
    if result.state != FINISHED or result.last_loss is None:
        return Tried(0.0, math.inf)
    return Tried((result.metrics or {}).get("ap") or 0.0, result.last_loss)


def train_all(preset: Preset, folder: Path, seeds: int, overrides: Mapping[str, Any] | None = None) -> list[Result]:
    """Trains the unfinished runs of a comparison and returns the results of all."""
    for _ in run_comparison(preset, folder, seeds=seeds, overrides=overrides, workers=0):
        pass
    return [read_result(run) for run in plan_runs(preset, folder, seeds)]


def mean_history(results: list[Result], variant: str) -> list[tuple[int, float]]:
    """Returns the steps of a variant's evaluations, with the mean AP of its runs that reached them."""
    found: dict[int, list[float]] = {}
    for result in results:
        for step, ap in result.history if result.variant == variant else ():
            found.setdefault(step, []).append(ap or 0.0)
    return [(step, fmean(each)) for step, each in sorted(found.items())]


if __name__ == "__main__":
    main()

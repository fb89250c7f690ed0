"""Trains the presets with several seeds, for the results that the page shows as measured.

`python -m benchmarks.presets --work DIR --json assets/presets.json`; repeat the command to resume it.
"""

import argparse
import json
import time
from itertools import groupby
from pathlib import Path

from core.cli.training.compare import format_table
from core.experiments.comparison import plan_runs, read_result, run_comparison, summarise_variants
from core.experiments.presets import PRESETS
from core.io.atomic import write_text


def main() -> None:
    """Trains the unfinished runs, prints one table per preset and writes them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tables = {}
    for key in options.presets:
        preset, folder = PRESETS[key], options.work / key
        started = time.perf_counter()
        for run, _ in groupby(run_comparison(preset, folder, seeds=options.seeds, workers=1), lambda each: each[0]):
            # groupby consumes all records of a run before it yields the next run
            print(f"  {run.variant.name}, seed {run.seed}, from {time.perf_counter() - started:.0f} s", flush=True)
        table = summarise_variants([read_result(run) for run in plan_runs(preset, folder, options.seeds)])
        title = f"Measured over {options.seeds} seeds: mean (lowest–highest)"
        tables[key] = {"title": title, "rows": [row.to_dict() for row in table]}
        paper = {variant.name: variant.paper for variant in preset.variants}
        print(preset.title, format_table(table, paper), sep="\n", flush=True)
    if options.json:
        write_text(options.json, json.dumps(tables, indent=1) + "\n")


if __name__ == "__main__":
    main()

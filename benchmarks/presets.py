"""The presets over several seeds: what the page shows as measured.

`python -m benchmarks.presets --work DIR --json assets/presets.json`; interrupted, the same command goes on.
"""

import argparse
import json
import time
from itertools import groupby
from pathlib import Path

from core.cli.compare import format_table
from core.experiments.comparison import plan_runs, read_result, run_comparison, summarise_variants
from core.experiments.presets import PRESETS
from core.io.atomic import write_text


def main() -> None:
    """Trains what is missing, prints one table a preset and writes them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    kept = {}
    for key in options.presets:
        preset, folder = PRESETS[key], options.work / key
        started = time.perf_counter()
        for part, _ in groupby(run_comparison(preset, folder, seeds=options.seeds, workers=1), lambda each: each[0]):
            # groupby runs through a part's records before it names the next part
            print(f"  {part.variant.name}, seed {part.seed}, from {time.perf_counter() - started:.0f} s", flush=True)
        table = summarise_variants([read_result(part) for part in plan_runs(preset, folder, options.seeds)])
        title = f"Measured over {options.seeds} seeds: mean (lowest–highest)"
        kept[key] = {"title": title, "rows": [row.to_dict() for row in table]}
        print(
            preset.title,
            format_table(table, {variant.name: variant.paper for variant in preset.variants}),
            sep="\n",
            flush=True,
        )
    if options.json:
        write_text(options.json, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()

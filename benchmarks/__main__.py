"""This project and torchvision side by side in one process: `python -m benchmarks`, with `--json FILE` for programs.

Each pair is compared before it is timed, and timed in turn; only ratios mean anything on another machine.
"""

import argparse
import importlib
import json
from pathlib import Path

import torch

from benchmarks.machine import copy_rate, matrix_rate
from benchmarks.rows import print_rows
from core.io.atomic import write_text

PARTS = ("parts_speed", "detection_speed", "batch_speed", "training_speed", "evaluation_speed")


def main() -> None:
    """Prints a line a comparison as it is made."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some of the comparisons")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rates = {
        "copy": copy_rate(),
        "float32": matrix_rate(torch.float32, 2048),
        "bfloat16": matrix_rate(torch.bfloat16, 256),
    }
    print(f"{torch.get_num_threads()} threads; copies {rates['copy'] / 1e9:.1f} GB/s, multiplies", end=" ")
    print(f"{rates['float32'] / 1e9:.0f} GFLOP/s in float32, {rates['bfloat16'] / 1e9:.1f} in bfloat16", flush=True)
    found = []
    for name in options.only:
        rows = importlib.import_module(f"benchmarks.{name}").measure()
        print_rows(rows)
        found += [{"part": name, **row._asdict(), "ratio": row.ratio} for row in rows]
    if options.json:
        write_text(options.json, json.dumps({"machine": rates, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Compares the speed of this project and torchvision in one process: `python -m benchmarks [--json FILE]`.

The results of each pair are checked for equality first; then both are timed in turn. Only the ratios are meaningful on
other machines.
"""

import argparse
import importlib
import json
from pathlib import Path

import torch

from benchmarks.clock import share_machine
from benchmarks.machine import measure_copy_rate, measure_matrix_rate
from benchmarks.rows import print_rows
from core.io.atomic import write_text

PARTS = ("parts_speed", "detection_speed", "batch_speed", "training_speed", "evaluation_speed")


def main() -> None:
    """Prints one line per comparison as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="run only these comparisons")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--shared", action="store_true", help="other work runs: processor time with one thread")
    options = parser.parse_args()
    if options.shared:
        share_machine()
    rates = {
        "copy": measure_copy_rate(),
        "float32": measure_matrix_rate(torch.float32, 2048),
        "bfloat16": measure_matrix_rate(torch.bfloat16, 256),
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

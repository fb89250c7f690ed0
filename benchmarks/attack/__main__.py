"""Attacks the project and prints how the inputs ended: `python -m benchmarks.attack --seed 7 --minutes 30`."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from benchmarks.attack.classes import CLASSES
from benchmarks.attack.outcome import Outcome
from benchmarks.attack.run import HEADER, Input, attack, format_row
from core.io.atomic import write_text

FIRST_LINES = 20  # of a traceback


def main() -> int:
    """Returns 1 if an input ended badly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, default=10_000, help="inputs of all classes together")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--only", nargs="+", choices=CLASSES, default=list(CLASSES), metavar="CLASS", help=str([*CLASSES])
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each class")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    total: Counter[Outcome] = Counter()
    print(HEADER, flush=True)
    report = None
    for report in attack(options.only, options.seed, options.number, 60 * options.minutes, options.first):
        name, counts = list(report.counts.items())[-1]
        total += counts
        print(format_row(name, counts), flush=True)
    print(format_row("all", total))
    for each, ending in report.troubles if report else ():
        print(f"\n{ending.outcome}: {_repeat(each, options.seed)}\n{_shorten(ending.trouble)}", file=sys.stderr)
    if options.json and report:
        write_text(
            options.json, json.dumps({name: dict(each) for name, each in report.counts.items()}, indent=1) + "\n"
        )
    return 1 if report and report.troubles else 0


def _repeat(each: Input, seed: int) -> str:
    """Returns the arguments that try an input again."""
    return f"--only {each.name!r} --seed {seed} --first {each.number} --number 1"


def _shorten(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-FIRST_LINES:])


if __name__ == "__main__":
    sys.exit(main())

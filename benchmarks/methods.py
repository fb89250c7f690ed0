"""Compares the methods that RetinaNet's users ask for with the default, on scenes in which some classes are rare.

`python -m benchmarks.methods --work DIR --json assets/methods.json`; repeat the command to resume it. It first prints
how many runs are left and about how much processor time they take. Each method is compared with the default of the same
seed. Rare classes are those of `DataSet.rare_classes`: with `scenes.imbalance` 1 these are the last three of six,
with 6%, 2.5% and 1% as many objects as the first. Methods of inference see the weights of the default.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from benchmarks.atlas import open_work
from benchmarks.method_runs import DEFAULT, METHODS, SETTINGS, TRAINING_SCENES, Bench, Job, Result
from core.errors import UserError
from core.io.atomic import write_text
from core.io.journal import Journal
from core.io.text import count_noun

COMMAND = "python -m benchmarks.methods --work DIR --json assets/methods.json"
TIMES = (40.0, 15.0)  # processor seconds of a training and of a method of inference, about
FIGURES = ("ap", "ap50", "rare_ap")


def list_jobs(seeds: int) -> list[Job]:
    """Returns all methods with one seed before the next seed."""
    return [Job(method, seed) for seed in range(seeds) for method in METHODS]


def measure_left(journal: Journal, jobs: Sequence[Job], folder: Path) -> Iterator[tuple[Job, Result]]:
    """Measures what the work file lacks; yields each result once it is kept there."""
    bench: Bench | None = None
    seed = -1
    for job in jobs:
        if journal.find(job.key) is None:
            if bench is None or job.seed != seed:
                bench, seed = Bench(job.seed, folder), job.seed
            result = bench.measure(job.method)
            journal.add(job.key, {"result": result._asdict()})
            yield job, result


def collect(journal: Journal, seeds: int) -> dict[str, list[Result]]:
    """Returns the results of each method that the work file has, by seed in order, up to the first that is missing."""
    found: dict[str, list[Result]] = {method.name: [] for method in METHODS}
    for job in list_jobs(seeds):
        record = journal.find(job.key)
        if record is not None and len(found[job.method.name]) == job.seed:
            found[job.method.name].append(Result(**record["result"]))
    return {name: results for name, results in found.items() if results}


def summarise(results: Mapping[str, Sequence[Result]]) -> list[dict[str, Any]]:
    """Returns a row for each method: means over its seeds, and differences from the default of the same seed.

    Each difference is (mean, lowest, highest); None where a run has no AP.
    """
    return [_summarise_method(name, found, results[DEFAULT]) for name, found in results.items()]


def _summarise_method(name: str, found: Sequence[Result], default: Sequence[Result]) -> dict[str, Any]:
    tested = next((method.tested for method in METHODS if method.name == name), "")
    ended = sum(bool(each.ending) for each in found)
    row: dict[str, Any] = {"method": name, "seeds": len(found), "failed": ended, "tested": tested}
    for figure in FIGURES:
        values = [getattr(each, figure) for each in found]
        gains = [
            value - getattr(base, figure)
            for value, base in zip(values, default, strict=False)
            if value is not None and getattr(base, figure) is not None
        ]
        row[figure] = _mean(values)
        row[f"{figure}_gain"] = (fmean(gains), min(gains), max(gains)) if gains else None
    for figure in ("step_seconds", "image_seconds"):
        row[figure] = _mean([getattr(each, figure) for each in found])
    return row


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def format_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the rows as a table in Markdown."""
    head = "| method | AP | against the default | AP50 | rare-class AP | against the default | ms a step | ms a scene |"
    lines = [head, "| --- " * head.count(" | ") + "| --- |"]
    for row in rows:
        broken = f" ({row['failed']} of {row['seeds']} ended early)" if row["failed"] else ""
        cells = [
            row["method"] + broken,
            _format(row["ap"]),
            _format_gain(row["ap_gain"]),
            _format(row["ap50"]),
            _format(row["rare_ap"]),
            _format_gain(row["rare_ap_gain"]),
            _format_milliseconds(row["step_seconds"]),
            _format_milliseconds(row["image_seconds"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _format(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _format_gain(gain: Sequence[float] | None) -> str:
    if gain is None or not any(gain):
        return "–"
    mean, low, high = gain
    return f"{mean:+.3f} ({low:+.3f} … {high:+.3f})".replace("-", "−")


def _format_milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:,.0f}"


def describe_plan(jobs: Sequence[Job], left: Sequence[Job], times: Sequence[float]) -> str:
    """Returns a sentence with the number of jobs left and their estimated processor time.

    Args:
        jobs: All jobs.
        left: Those to do.
        times: Processor seconds of a training and of a method of inference.
    """
    training, inference = times
    trained = sum(job.method.is_trained for job in left)
    minutes = (trained * training + (len(left) - trained) * inference) / 60
    return (
        f"{len(METHODS)} methods × {count_noun(len(jobs) // len(METHODS), 'seed')}; {len(left)} left, {trained} of "
        f"them trainings of {SETTINGS['training.steps']} steps: about {minutes:.0f} minutes of processor time."
    )


def main() -> None:
    """Prints the plan, runs the remaining jobs, prints the table and writes it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of the results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the table to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        measure_all(options.work, options.seeds, options.json)
    except UserError as error:
        parser.exit(2, f"error: {error}\n")


def measure_all(work: Path, seeds: int, output: Path | None) -> None:
    """Measures what the folder lacks, prints the table and writes it if a file is named.

    Raises:
        UserError: A file cannot be used.
    """
    work.mkdir(parents=True, exist_ok=True)
    jobs = list_jobs(seeds)
    with open_work(work / "results.jsonl", {**SETTINGS, "training scenes": TRAINING_SCENES}) as journal:
        left = [job for job in jobs if journal.find(job.key) is None]
        print(describe_plan(jobs, left, TIMES), flush=True)
        for number, (job, result) in enumerate(measure_left(journal, jobs, work), start=1):
            figures = ", ".join(f"{name} {_format(getattr(result, name))}" for name in FIGURES)
            print(
                f"{number}/{len(left)} {job.key}: {figures}, {result.seconds:.0f} s {result.ending}".rstrip(),
                flush=True,
            )
        rows = summarise(collect(journal, seeds))
    print(format_table(rows), flush=True)
    if output:
        table = {"command": COMMAND, "settings": SETTINGS, "training_scenes": TRAINING_SCENES, "rows": rows}
        write_text(output, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()

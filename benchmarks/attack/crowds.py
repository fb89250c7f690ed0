"""Many people at once: each attempt is one of their answers, or one of their errors."""

from pathlib import Path
from random import Random

from benchmarks.attack.outcome import Attempt
from benchmarks.crowd import Crowd, measure, serve

SECONDS = 20
LONGEST_MS = 20_000


def attack_with_crowds(folder: Path) -> Attempt:
    """Prepares crowds of some people who drag sliders and upload pictures while a run trains."""

    def attempt(random: Random) -> None:
        with serve() as (port, process):
            found = measure(port, process, Crowd(random.choice((5, 10, 20)), SECONDS, 2, random.choice((0, 1)), True))
        assert found["errors"] == 0, f"{found['errors']} errors, the first: {found['first error']}"
        assert found["answers"] > 0, "nobody was answered"
        assert found["max"] < LONGEST_MS, f"somebody waited {found['max']:.0f} ms"

    return attempt

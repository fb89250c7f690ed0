"""The command `convert`: writes a data set in another format."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.common import follow, print_left_out, progress_bar
from core.config import Config
from core.data.writers.convert import convert_data_set
from core.io.text import count_noun


def convert(config: Config, options: Namespace) -> dict[str, Any]:
    """Converts a data set to another format in a new folder and prints what was read, left out and written."""
    with progress_bar(total=0, show=True, unit="picture") as bar:
        found = convert_data_set(
            Path(options.data),
            options.to,
            options.out,
            format=options.format,
            strict=options.strict,
            pictures=options.pictures,
            seed=config.training.seed,
            progress=follow(bar),
        )
    print(found.reading)
    print_left_out(found.left_out)
    for note in found.notes:
        print(note)
    for split, counts in found.splits.items():
        pictures = count_noun(counts.pictures, "picture")
        print(f"{split:6} {pictures:>15}, {count_noun(counts.objects, 'object')}, {count_noun(counts.crowds, 'crowd')}")
    return {
        "out": str(options.out),
        "to": options.to,
        "reading": found.reading,
        "left_out": found.left_out.to_dict(),
        "notes": list(found.notes),
        "splits": {split: counts._asdict() for split, counts in found.splits.items()},
    }

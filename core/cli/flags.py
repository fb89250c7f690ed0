"""Flags that several commands have, and the types of their values."""

import argparse
import math

from core.errors import quote

# The keys of `core.data.formats.FORMATS`, which --help need not import.
FORMATS = ("coco", "voc", "yolo", "labelme", "csv", "jsonl", "label_studio", "via", "cvat", "supervisely", "kitti")
MAX_COUNT = 2**63 - 1
TRACKERS = ("tensorboard", "wandb", "trackio")


def add_classes(parser: argparse.ArgumentParser) -> None:
    """Adds the flag for the class names of weights that do not have them."""
    parser.add_argument(
        "--classes", type=parse_names, default=(), metavar="NAME,NAME,…",
        help="names of the classes, in order, of weights that do not name them",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds the flags for scenes, or one's own data set."""
    parser.add_argument(
        "--data",
        default="scenes",
        metavar="scenes|DIR",
        help="rendered scenes (default), or the folder of a data set",
    )
    add_reading(parser)


def add_own_data(parser: argparse.ArgumentParser) -> None:
    """Adds the flags for one's own data set."""
    parser.add_argument("--data", required=True, metavar="DIR", help="the folder of a data set")
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Adds the flags for how a data set is read."""
    parser.add_argument(
        "--format", choices=FORMATS, metavar="FORMAT",
        help=f"annotation format; needed only if the folder matches several: {', '.join(FORMATS)}",
    )  # fmt: skip
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse pictures and boxes that cannot be used, instead of leaving them out",
    )


def add_track(parser: argparse.ArgumentParser) -> None:
    """Adds the flag for an experiment tracker."""
    parser.add_argument(
        "--track", choices=TRACKERS, metavar="TRACKER",
        help=f"also log to {', '.join(TRACKERS[:-1])} or {TRACKERS[-1]} (pip install -r requirements-trackers.txt)",
    )  # fmt: skip


def parse_share(text: str) -> float:
    """Reads a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a number from 0 to 1")
    return value


def parse_shares(text: str) -> tuple[float, ...]:
    """Reads the shares of the three splits."""
    shares = tuple(parse_share(part) for part in text.split(","))
    if len(shares) != 3 or abs(sum(shares) - 1) > 1e-6:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not three shares that add up to 1, such as 0.8,0.1,0.1")
    return shares


def parse_numbers(text: str) -> tuple[float, ...]:
    """Parses a list of numbers; the command checks their bounds."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a list of numbers, such as 0,0.5,1") from None


def parse_names(text: str) -> tuple[str, ...]:
    """Reads names of classes."""
    names = tuple(part.strip() for part in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a list of different names, such as cat,dog")
    return names


def parse_count(text: str, most: int = MAX_COUNT) -> int:
    """Reads a non-negative whole number up to a bound."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a whole number from 0")
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(most)) or int(digits) > most:  # Python reads no number of thousands of digits
        raise argparse.ArgumentTypeError(f"{quote(text)} is more than {most:,}")
    return int(digits)

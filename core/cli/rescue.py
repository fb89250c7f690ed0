"""The command `rescue`: the hyperparameter whose fewest steps undo each kind of fault, over many pictures."""

from argparse import Namespace
from typing import Any

from core.cli.common import load_detector, open_split, print_left_out, progress_bar, tell
from core.config import Config, format_value
from core.evaluation.damage import DamagedPictures, add_damaged
from core.evaluation.dataset_predictions import count_images
from core.io.text import count_noun
from core.rescue.over_set import SetSearch, search_set
from core.rescue.totals import KindOfFault, SetRescues, Tried
from core.weights.assumptions import to_record


def rescue(config: Config, options: Namespace) -> dict[str, Any]:
    """Searches the first pictures of a split, `training.eval_images` of them, and prints a table.

    The classes of the data set and of the weights are matched by name.

    Raises:
        DataError: The data set cannot be used, or has a class that the weights lack.
    """
    data = open_split(config, options)
    config, weights, model = load_detector(config, options.classes, or_names=data.class_names)
    count = count_images(data, config)
    search, damaged = SetSearch(), DamagedPictures(count, strict=options.strict)
    with progress_bar(total=count, show=True, unit="picture") as bar:
        for _ in search_set(search, model, weights.class_names, data, config, damaged):
            bar.update()
    found, left_out = search.collect(), add_damaged(data.left_out, damaged.errors.values())
    if damaged.errors:
        print_left_out(left_out)
    values = count_noun(len(found.tried), "other value")
    print(f"searched {found.pictures:,} of {count_noun(len(data), 'picture')}, {values}, one at a time")
    print(_format(found))
    if found.left_out:
        tell([f"not all values of {', '.join(found.left_out)} could be tried, which take longer."])
    where = {"weights": weights.name, "data": options.data, "split": options.split, "reading": data.reading}
    where |= {"left_out": left_out.to_dict(), "about_weights": to_record(weights, config)}
    return {**where, "rescues": found.to_dict()}


def _format(found: SetRescues) -> str:
    lines = [line for kind in found.kinds for line in _describe(kind)]
    return "\n".join(lines) or "there is no fault: every object is found, and nothing else"


def _describe(kind: KindOfFault) -> list[str]:
    """Returns lines on a kind of fault: how many one hyperparameter undoes, and the values that undo most."""
    by = ", ".join(f"{path} {count:,}" for path, count in kind.cheapest.items())
    title = f"{kind.kind}: {kind.faults:,}, undone by one hyperparameter: {kind.undone:,}"
    values = [_describe_value(each, kind.kind) for each in kind.best]
    return ["", title, *([f"  in the fewest steps by {by}"] if by else []), *values]


def _describe_value(tried: Tried, kind: str) -> str:
    path, value, steps = tried.move
    found, lost, gone, new = tried.change
    harm = "without harm" if tried.change.is_good else "most"
    change = f"--{path} {format_value(value)} ({count_noun(steps, 'step')} from {format_value(tried.before)})"
    return (
        f"  {harm}: {change} undoes {tried.undone[kind]:,}; objects +{found:,} −{lost:,}, "
        f"false positives +{new:,} −{gone:,}"
    )

"""The progress of `detect`: a file beside its result, from which an interrupted call continues."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.cli.common import tell
from core.cli.detect.pictures import Pictures
from core.config import POSTPROCESSING, Config, ConfigError, Effect, format_value, knobs
from core.evaluation.coco_file import FoundIn
from core.io.journal import Journal
from core.io.text import count_noun
from core.retinanet.model import RetinaNet
from core.weights.sources import Weights

STATE = ".progress"  # added to the name of the file of --json
MAX_NAMED = 3  # settings that differ and are named
DETECTING = (Effect.FORWARD, Effect.ANCHORS, *POSTPROCESSING)  # effects of the settings that detections depend on


def describe_state(config: Config, weights: Weights, model: RetinaNet) -> dict[str, Any]:
    """Returns all that detections depend on besides the pictures, as JSON holds it."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    values = config.to_flat()
    settings = {path: values[path] for path, knob in knobs().items() if knob.effect in DETECTING}
    settings.pop("model.weights")  # their digest counts, not their name
    state = {"settings": settings, "weights": digest.hexdigest(), "classes": list(weights.class_names)}
    return json.loads(json.dumps({"detect": 1, **state}))


def open_journal(file: Path, state: dict[str, Any], *, resume: bool) -> Journal:
    """Opens the journal beside a file, empty unless the call is to be continued.

    Raises:
        ConfigError: It was begun with other settings, weights or class names.
        OutputError: Another process uses it.
    """
    path = file.with_name(file.name + STATE)
    if path.exists() and not resume:
        tell([f"the state of an interrupted call, {path}, is replaced; --resume would have continued it."])
    journal = Journal(path, keep=resume)
    if not journal.header:
        if resume:
            tell([f"there is no interrupted call to continue ({path}); all pictures are computed."])
        journal.begin(state)
    elif difference := _find_difference(journal.header, state):
        journal.close()
        raise ConfigError(
            f"{path} was begun with other {difference}: give the same as before, or leave out --resume to begin anew."
        )
    else:
        tell([f"kept from the interrupted call: {count_noun(journal.count, 'picture')}."])
    return journal


def _find_difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Returns what differs between two states in words, "" if nothing does."""
    settings = before.get("settings", {})
    differing = [path for path, value in now["settings"].items() if settings.get(path) != value]
    if differing:
        pairs = [f"{path} = {_format(settings.get(path))}, not {_format(now['settings'][path])}" for path in differing]
        return f"settings ({'; '.join(pairs[:MAX_NAMED])})"
    if before.get("weights") != now["weights"]:
        return "weights"
    return "class names" if before.get("classes") != now["classes"] else ""


def _format(value: Any) -> str:
    return format_value(tuple(value) if isinstance(value, list) else value)


def end_early(journal: Journal, *, keep: bool, total: int) -> None:
    """Says how a call that ends early can be continued, or deletes its journal.

    Args:
        journal: The pictures that are done.
        keep: Whether the journal is kept, if there are any.
        total: The number of all pictures.
    """
    if not keep or not journal.count:
        journal.delete()
        return
    done = f"{journal.count:,} of {count_noun(total, 'picture')} are kept in {journal.path}"
    tell([f"{done}: the same command with --resume continues."])


def describe_file(path: str) -> dict[str, int]:
    """Returns the size and modification time of a picture, {} if it cannot be read."""
    try:
        status = os.stat(path)
    except OSError:
        return {}
    return {"size": status.st_size, "modified": status.st_mtime_ns}


def find_done(journal: Journal, path: str) -> dict[str, Any] | None:
    """Returns the record of a picture; None if it is not done, or has changed since."""
    record, now = journal.find(path), describe_file(path)
    return record if record and now and now.items() <= record.items() else None


def read_all(pictures: Pictures, journal: Journal, problems: dict[int, str]) -> Iterator[FoundIn]:
    """Yields the detections in each picture, in order.

    Args:
        pictures: The pictures.
        journal: The records of those that could be used.
        problems: Why the others could not, by number.
    """
    for number, (path, name) in enumerate(zip(pictures.paths, pictures.names, strict=True), start=1):
        record = None if number in problems else journal.find(path)
        if record is None:
            yield FoundIn(number, name, problem=problems[number])
        else:
            yield FoundIn(number, name, record["width"], record["height"], record["results"])

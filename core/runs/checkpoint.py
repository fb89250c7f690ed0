"""The checkpoint of a run: a `.safetensors` file with all tensors, and everything else as JSON in its metadata."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.runs.folder import RunError
from core.weights.state_dict import MAX_BYTES, write

REST, CHECKSUM = "state", "crc32"  # keys of the metadata
MAX_REST = 4_000_000  # characters; a large network's optimizer needs a twentieth
MAX_STATE_BYTES = 4 * MAX_BYTES  # weights, their average and two moments of each
TENSOR = "tensor"  # {TENSOR: name} stands for a tensor in the JSON
PAIRS = "pairs"  # {PAIRS: [[key, value], …]} stands for a mapping whose keys are numbers
MAX_DEPTH = 20


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Writes tensors in plain containers (mappings, lists, numbers, texts, None), whole or not at all.

    Raises:
        WeightsError: The file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    rest = json.dumps(_take_apart(state, "", tensors))
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write(path, kept, {REST: rest, CHECKSUM: str(_checksum(kept))})


def read_state(path: Path) -> dict[str, Any]:
    """Reads what `write_state` wrote; nothing in the file is run.

    Raises:
        RunError: There is none, or it is damaged.
    """
    damaged = RunError(f"The checkpoint {path} is damaged, so the run cannot go on from it: start a new run.")
    try:
        if path.stat().st_size > MAX_STATE_BYTES:
            raise damaged
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if int(metadata[CHECKSUM]) != _checksum(tensors) or len(metadata[REST]) > MAX_REST:
            raise damaged
        state = _put_together(json.loads(metadata[REST]), tensors, 0)
    except FileNotFoundError:
        raise RunError(f"There is no checkpoint {path} to resume from: start the run without --resume.") from None
    except OSError as error:
        raise RunError(f"The checkpoint {path} cannot be read: {error.strerror or error}.") from None
    except (SafetensorError, KeyError, ValueError, TypeError, RecursionError):
        raise damaged from None
    if not isinstance(state, dict):
        raise damaged
    return state


def _take_apart(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Returns a value as JSON holds it; its tensors go into `tensors`, under names that say where they belong."""
    if isinstance(value, Tensor):
        tensors[name] = value
        return {TENSOR: name}
    if isinstance(value, Mapping):
        pairs = [(key, _take_apart(part, f"{name}.{key}".lstrip("."), tensors)) for key, part in value.items()]
        return dict(pairs) if all(isinstance(key, str) for key, _ in pairs) else {PAIRS: pairs}
    if isinstance(value, list | tuple):
        return [_take_apart(part, f"{name}.{index}", tensors) for index, part in enumerate(value)]
    return value


def _put_together(value: Any, tensors: Mapping[str, Tensor], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError
    if isinstance(value, list):
        return [_put_together(part, tensors, depth + 1) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {TENSOR}:
        return tensors[value[TENSOR]]
    if value.keys() == {PAIRS}:
        return {key: _put_together(part, tensors, depth + 1) for key, part in value[PAIRS]}
    return {key: _put_together(part, tensors, depth + 1) for key, part in value.items()}


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """Returns a sum over all bytes: the format itself notices a cut file, but not a changed number."""
    found = 0
    for name in sorted(tensors):
        raw = tensors[name].reshape(-1).view(torch.uint8) if tensors[name].numel() else torch.empty(0)
        found = zlib.crc32(raw.numpy(), found)
    return found

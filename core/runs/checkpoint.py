"""Checkpoint files: a `.safetensors` file of all tensors, with everything else as JSON in its metadata."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.io.troubles import explain
from core.runs.folder import RunError
from core.weights.state_dict import CHECKPOINT_KEY, CHECKSUM_KEY, MAX_BYTES, write

STRUCTURE, CHECKSUM = CHECKPOINT_KEY, CHECKSUM_KEY  # of the metadata
MAX_STRUCTURE = 64_000_000  # characters of JSON; the page's evaluation of 100,000 pictures needs a tenth
MAX_CHECKPOINT_BYTES = 5 * MAX_BYTES  # weights, their average, the kept ones and two moments of each
TENSOR = "tensor"  # {TENSOR: name} represents a tensor in the JSON
PAIRS = "pairs"  # {PAIRS: [[key, value], …]} represents a mapping with keys other than strings
MAX_DEPTH = 20


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Saves tensors, numbers, strings and None in nested mappings and lists, atomically.

    Raises:
        WeightsError: The file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    structure = json.dumps(_extract_tensors(state, "", tensors))
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write(path, stored, {STRUCTURE: structure, CHECKSUM: str(_checksum(stored))})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Loads what `save_checkpoint` saved, without executing anything from the file.

    Raises:
        RunError: The file is missing or damaged.
    """
    damaged = RunError(f"The checkpoint {path} is damaged, so the run cannot be resumed from it: start a new run.")
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES or not path.is_file():  # a pipe would never end
            raise damaged
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # Copies: the others keep the file open, which Windows would not replace any more.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a mapping)
        if int(metadata[CHECKSUM]) != _checksum(tensors) or len(metadata[STRUCTURE]) > MAX_STRUCTURE:
            raise damaged
        state = _insert_tensors(json.loads(metadata[STRUCTURE]), tensors, 0)
    except FileNotFoundError:
        raise RunError(f"There is no checkpoint {path} to resume from: start the run without --resume.") from None
    except OSError as error:
        raise RunError(f"The checkpoint {path} cannot be read: {explain(error)}") from None
    except (SafetensorError, KeyError, ValueError, TypeError, RecursionError):
        raise damaged from None
    if not isinstance(state, dict):
        raise damaged
    return state


def _extract_tensors(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """Returns a value as JSON; its tensors are moved to `tensors`, under their paths within the value."""
    if isinstance(value, Tensor):
        tensors[name] = value
        return {TENSOR: name}
    if isinstance(value, Mapping):
        pairs = [(key, _extract_tensors(item, f"{name}.{key}".lstrip("."), tensors)) for key, item in value.items()]
        return dict(pairs) if all(isinstance(key, str) for key, _ in pairs) else {PAIRS: pairs}
    if isinstance(value, list | tuple):
        return [_extract_tensors(item, f"{name}.{index}", tensors) for index, item in enumerate(value)]
    return value


def _insert_tensors(value: Any, tensors: Mapping[str, Tensor], depth: int) -> Any:
    """Reverses `_extract_tensors`; raises ValueError, KeyError or TypeError for anything else."""
    if depth > MAX_DEPTH:
        raise ValueError
    if isinstance(value, list):
        return [_insert_tensors(item, tensors, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {TENSOR}:
        return tensors[value[TENSOR]]
    if value.keys() == {PAIRS}:
        return {key: _insert_tensors(item, tensors, depth + 1) for key, item in value[PAIRS]}
    return {key: _insert_tensors(item, tensors, depth + 1) for key, item in value.items()}


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    """Returns a checksum over all bytes: the file format notices truncation, but no changed numbers."""
    checksum = 0
    for name in sorted(tensors):
        raw = tensors[name].reshape(-1).view(torch.uint8) if tensors[name].numel() else torch.empty(0)
        checksum = zlib.crc32(raw.numpy().data, checksum)
    return checksum

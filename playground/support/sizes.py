"""How much memory there is, how much of it a result takes, and how much of a disk a folder."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np
import psutil
from torch import Tensor

SAMPLED = 500  # parts of a collection that are looked at; the others are taken to be like them
SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)  # belong to the program, not to a result

# What a container may have, in the second and the first version of control groups.
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def measure_memory() -> int:
    """Returns the bytes of memory that this machine has, or the container in which this process runs if it has less."""
    total = int(psutil.virtual_memory().total)
    for limit in MEMORY_LIMITS:
        with suppress(OSError, ValueError):  # there is no such file, or it says "max"
            total = min(total, int(limit.read_text("utf-8")))
    return total


def count_bytes(value: object) -> int:
    """Returns the size in bytes of a value with all that it holds: tensors, arrays, texts, collections, objects.

    What occurs several times counts once, as do tensors that share their memory. Of long collections a sample is
    measured.
    """
    total, seen = 0.0, set[object]()
    waiting: list[tuple[object, float]] = [(value, 1.0)]
    while waiting:
        each, times = waiting.pop()
        if id(each) in seen or isinstance(each, SHARED):
            continue
        seen.add(id(each))
        total += times * _own_bytes(each, seen)
        parts = _parts(each)
        sample = parts[:: len(parts) // SAMPLED] if len(parts) > SAMPLED else parts
        waiting += [(part, times * len(parts) / len(sample)) for part in sample]
    return int(total)


def _own_bytes(value: object, seen: set[object]) -> int:
    """Returns the bytes of a value without its parts; memory that tensors share is noted in `seen`."""
    if isinstance(value, Tensor):
        storage = value.untyped_storage()
        place = "storage", storage.data_ptr()
        if value.is_meta or place in seen:
            return 0
        seen.add(place)
        return storage.nbytes()
    return value.nbytes if isinstance(value, np.ndarray) else sys.getsizeof(value)


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return [] if isinstance(value, Tensor | np.ndarray) else list(getattr(value, "__dict__", {}).values())


def measure_folder(folder: Path) -> int:
    """Returns the bytes of the files in a folder; those that vanish meanwhile count nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name), follow_symlinks=False).st_size
            except OSError:
                continue
    return total

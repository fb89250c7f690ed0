"""Weights in a file, described by its metadata, its tensors and assumptions; another process reads untrusted ones."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file as load_tensors, save_file as save_tensors
from torch import Tensor

from core.reader import Answer, Kind, limits_for, read_apart
from core.reader.errors import freeze_lists
from core.reader.tasks import Progress
from core.retinanet.backbone import NORM_EPS
from core.weights import state_dict
from core.weights.architecture import Architecture, WeightsError, modernise, recognise
from core.weights.assumptions import COCO_CLASSES, TORCHVISION_SETTINGS, assume_class_names, assume_settings
from core.weights.class_names import choose_class_names
from core.weights.download import COCO, has_digest, published
from core.weights.metadata import is_described, read_metadata
from core.weights.weights import CLASSES, ON_COCO, Weights

COCO_NORM_EPS = {"coco": 0.0, "coco_v2": NORM_EPS}  # when v1 was trained, torchvision's frozen batch norms had no ε
TENSORS = "state.safetensors"  # what the other process answers with
MAX_HEADER = 2**20  # bytes of what describes the tensors of a file in safetensors; that of a RetinaNet has a tenth


def load_file(name: str, path: Path) -> Weights:
    """Loads weights from a file, by another process if this one is to leave such files to it.

    Raises:
        WeightsError: The file is missing, too large, damaged, or does not hold the weights of a RetinaNet.
    """
    limits = limits_for(Kind.WEIGHTS if _is_plain(path) else Kind.PICKLED, path) if os.path.isfile(path) else None
    if limits is None:
        return read_file(name, path)
    arguments = {"name": name, "path": str(path)}
    with read_apart("weights", arguments, name=str(path), limits=limits, refusal=WeightsError) as answer:
        return _unpack(answer)


def read_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Reads weights for another process: tensors as a file in the folder, and the other fields as values."""
    weights = read_file(arguments["name"], Path(arguments["path"]))
    try:
        save_tensors(dict(weights.state), folder / TENSORS)
    except SafetensorError:  # of the system's: the tensors are validated
        raise WeightsError(
            f"{arguments['path']} cannot be read, since the disk is full: make room and try again."
        ) from None
    return weights._replace(state={})._asdict()


def _unpack(answer: Answer) -> Weights:
    values = freeze_lists(answer.value)
    try:
        tensors = {key: value.clone() for key, value in load_tensors(answer.folder / TENSORS).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{values['name']} cannot be read: {error}. Try again.") from None
    return Weights(**{**values, "state": tensors, "architecture": Architecture(*values["architecture"])})


def _is_plain(path: Path) -> bool:
    """True for a file in safetensors with a small header: reading it takes no more than its size says."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError:
        return False
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") <= MAX_HEADER


def describe_coco(name: str, kind: str, state: Mapping[str, Tensor], architecture: Architecture) -> Weights:
    """Describes torchvision's weights for COCO.

    Args:
        name: The requested name.
        kind: One of `COCO_NORM_EPS`.
        state: Their tensors.
        architecture: Their architecture.
    """
    settings = {**architecture.settings, **TORCHVISION_SETTINGS, "model.norm_eps": COCO_NORM_EPS[kind]}
    category_ids = tuple(range(len(COCO_CLASSES)))  # torchvision's classes have COCO's numbers, including the gaps
    return Weights(name, state, architecture, COCO_CLASSES, category_ids, settings, trained_on=ON_COCO)


def read_file(name: str, path: Path) -> Weights:
    """Loads weights from a file in this process; raises the errors of `load_file`."""
    file = state_dict.read(path)
    state = modernise(file.state)
    architecture = recognise(state, name=str(path))
    if is_described(file.metadata):
        found = read_metadata(file.metadata, architecture, name=str(path))
        return Weights(name, state, architecture, *found[:3], assumed=found.assumed, trained_on=found.trained_on)
    for kind, member in COCO.items():
        if architecture.num_classes == len(COCO_CLASSES) and has_digest(path, published(kind).digest):
            note = f"{path} is torchvision's {member}, whose settings are known."
            return describe_coco(name, kind, state, architecture)._replace(notes=(note,))
    return _describe_unknown(name, state, architecture, file)


def _describe_unknown(
    name: str, state: Mapping[str, Tensor], architecture: Architecture, file: state_dict.WeightsFile
) -> Weights:
    """Describes a network by its tensors and, where they say nothing, by assumptions."""
    assumed = assume_settings(architecture)
    named, sentence = choose_class_names(file.class_names, architecture.num_classes, name=name)
    names = named or assume_class_names(architecture.num_classes)
    return Weights(
        name,
        state,
        architecture,
        names,
        tuple(range(len(names))),
        {**architecture.settings, **assumed},
        (*assumed, *([] if named else [CLASSES])),
        (*file.notes, *([sentence] if sentence else [])),
    )

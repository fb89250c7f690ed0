"""Reading, downloading and writing of state dicts. Files are not trusted: only finite tensors are read from them."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from core.errors import quote
from core.io.atomic import write_atomically
from core.io.text import is_text
from core.io.troubles import explain
from core.weights.architecture import WeightsError
from core.weights.class_names import Named, find_class_names
from core.weights.containers import find_state
from core.weights.download import Published, fetch
from core.weights.foreign import Kind, recognise_kind, refuse_text
from core.weights.pickled import MAX_PICKLE, check_bytes, too_much, unpickle

MAX_BYTES = 2 * 10**9  # of a file and of its tensors; the largest RetinaNet here has 0.4 · 10⁹
SAFETENSORS, PICKLED = ".safetensors", (".pth", ".pt")
FROM_SCRIPTS = (".ckpt", ".pl", ".bin", ".tar")  # pickled too: of Lightning, DeepForest, Hugging Face, and x.pth.tar
READABLE = (SAFETENSORS, *PICKLED, *FROM_SCRIPTS)
# In the metadata of a run's checkpoint, which does not describe its weights.
CHECKPOINT_KEY, CHECKSUM_KEY = "state", "crc32"
HALF_ERROR = 2.0**-10  # twice the largest relative error of float16 within its normal range
BATCH_COUNTER = "num_batches_tracked"  # of batch norms, the only whole numbers of a network
DESCRIPTION = "retinanet"  # attribute with the metadata of a pickled state dict; PyTorch keeps and ignores it


class WeightsFile(NamedTuple):
    """The content of a weights file.

    Attributes:
        state: Tensors by key, on the CPU; floating ones are float32 and finite.
        metadata: Text by key, unchecked.
        class_names: Lists and tables of class names that stand beside the state dict.
        notes: Sentences on what was chosen and what was left out.
    """

    state: dict[str, Tensor]
    metadata: dict[str, str]
    class_names: tuple[Named, ...]
    notes: tuple[str, ...]


def read(path: Path) -> WeightsFile:
    """Reads a weights file. Its content decides how, and its name only where the content does not.

    Raises:
        WeightsError: The file is missing, too large, damaged, or contains anything but finite tensors.
    """
    try:
        content, metadata = _READERS[_find_kind(path)](path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from None
    if metadata.keys() >= {CHECKPOINT_KEY, CHECKSUM_KEY}:
        raise WeightsError(
            f"{path} is the checkpoint of a run, to resume it: choose the file weights{SAFETENSORS} beside."
        )
    state, notes = find_state(content, name=str(path))
    names = (*find_class_names(content), *find_class_names(metadata))
    return WeightsFile(validate(state, name=str(path)), metadata, names, notes)


def download(weights: Published) -> dict[str, Tensor]:
    """Downloads weights unless they are here, with a progress bar on a terminal, and returns their tensors.

    Raises:
        WeightsError: There is no connection, the download is damaged, or it cannot be stored.
    """
    file = weights.file if weights.is_here else _fetch_with_bar(weights)
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # PyTorch raises many types for a damaged pickle
        raise WeightsError(
            f"The {weights.name} weights in {file} are damaged: delete that file and try again."
        ) from None
    return validate(state, name=f"The {weights.name} weights")


def _fetch_with_bar(weights: Published) -> Path:
    with tqdm(total=weights.size, unit="B", unit_scale=True, desc=f"{weights.name} weights", disable=None) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return fetch(weights, report)


def write(path: Path, state: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes a `.safetensors`, `.pth` or `.pt` file atomically.

    The last two hold a state dict as PyTorch saves it, with the metadata as an attribute, which PyTorch ignores.

    Raises:
        WeightsError: The name has a different suffix, or the file cannot be written.
    """
    if path.suffix not in (SAFETENSORS, *PICKLED):
        raise WeightsError(f"{path} is not a name for weights: it must end in {SAFETENSORS}, .pth or .pt.")
    stored = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    try:
        with write_atomically(path) as beside:
            if path.suffix == SAFETENSORS:
                save_file(stored, beside, metadata)
            else:
                content = OrderedDict(stored)
                setattr(content, DESCRIPTION, metadata)
                torch.save(content, beside)
    except (OSError, SafetensorError, RuntimeError) as error:  # PyTorch's writer raises the last for a full disk
        reason = explain(error) if isinstance(error, OSError) else f"{error}. Check the folder and its free space."
        raise WeightsError(f"{path} cannot be written: {reason}") from None


def validate(state: Any, *, name: str) -> dict[str, Tensor]:
    """Returns the tensors of a state dict, in float32 and without memory shared with a file.

    Raises:
        WeightsError: The state dict is not a dictionary of ordinary finite tensors, or it is too large.
    """
    if not isinstance(state, Mapping) or not state:
        raise WeightsError(f"{name} holds no state dict: save model.state_dict() and choose that file.")
    for key, value in state.items():
        if not isinstance(key, str) or not _is_ordinary(value):
            raise WeightsError(
                f"{name} holds more than ordinary tensors ({quote(key)}): save model.state_dict() alone."
            )
        if not value.is_floating_point() and not key.endswith(BATCH_COUNTER):
            raise WeightsError(
                f"{name} holds whole numbers in place of weights ({quote(key)}), as after quantisation: choose those "
                "in floating point."
            )
    check_bytes(sum(value.numel() * max(value.element_size(), 4) for value in state.values()), name, MAX_BYTES)
    result = {key: value.detach().to(_stored_dtype(value), copy=True) for key, value in state.items()}
    for key, value in result.items():
        if not value.isfinite().all():
            raise WeightsError(f"{name} has values in {key} that are not finite numbers: choose an undamaged file.")
    return result


def to_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns a state dict in float16, except for counters and tensors that float16 cannot hold (`fits_half`)."""
    return {
        key: value.half() if value.is_floating_point() and fits_half(key, value) else value
        for key, value in state.items()
    }


def fits_half(key: str, value: Tensor) -> bool:
    """Returns whether float16 holds a tensor to three digits, so that no value overflows.

    Errors count in proportion to the tensor's largest value. Those of a variance count in proportion to itself: a
    network divides by it, so that one too small for float16 matters as much as one too large.
    """
    if not value.numel():
        return True
    size = value.abs()
    scale = size if key.endswith("running_var") else size.max()
    return bool(((value.half().to(value.dtype) - value).abs() <= HALF_ERROR * scale).all())


def _find_kind(path: Path) -> Kind:
    """Returns how a file is to be read; refuses one that is no weights file."""
    if path.is_dir():
        raise WeightsError(f"{path} is a folder: choose the weights file in it.")
    kind, ending = None, path.suffix.lower()
    if path.is_file():
        check_bytes(path.stat().st_size, str(path), MAX_BYTES)
        kind = recognise_kind(path)
    if kind:
        return kind
    if ending not in READABLE:
        raise WeightsError(
            f"{path} is not a weights file: its name must end in {SAFETENSORS}, .pth or .pt, or as those of "
            f"training scripts ({', '.join(FROM_SCRIPTS)})."
        )
    if not path.is_file():
        raise WeightsError(f"The weights file {path} does not exist: check the path.")
    refuse_text(path)
    return Kind.SAFETENSORS if ending == SAFETENSORS else Kind.PICKLED


def _is_ordinary(value: Any) -> bool:
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and not value.is_complex()
    )


def _stored_dtype(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with path.open("rb") as file:
        if MAX_PICKLE < int.from_bytes(file.read(8), "little") < path.stat().st_size:  # else it is damaged
            raise too_much(str(path))
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError:
        raise WeightsError(f"{path} is damaged or not a safetensors file: choose another or fetch it again.") from None


def _read_pickled(path: Path) -> tuple[Any, dict[str, str]]:
    """Returns the content of a pickled file, and its metadata if `write` wrote it."""
    content = unpickle(path, max_bytes=MAX_BYTES)
    found = vars(content).get(DESCRIPTION) if isinstance(content, OrderedDict) else None
    if not isinstance(found, dict) or not all(is_text(key) and is_text(value) for key, value in found.items()):
        found = {}
    return content, found


_READERS = {Kind.SAFETENSORS: _read_safetensors, Kind.PICKLED: _read_pickled}

"""Reading, downloading and writing state dicts. Files are not trusted: only finite tensors come out of one."""

import http.client
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from core.io.atomic import write_atomically
from core.weights.architecture import WeightsError

MAX_BYTES = 2 * 10**9  # of a file and of the tensors in it; the largest RetinaNet here has 0.4 · 10⁹
SAFETENSORS, PICKLED = ".safetensors", (".pth", ".pt")
WRAPPERS = ("model", "state_dict")  # keys under which training scripts keep the state dict


class Checkpoint(NamedTuple):
    """What a file holds.

    Attributes:
        state: Tensors by key, on the CPU; floating ones are float32 and finite.
        metadata: Text by key, as the file has it, unchecked.
    """

    state: dict[str, Tensor]
    metadata: dict[str, str]


def read(path: Path) -> Checkpoint:
    """Reads a `.safetensors`, `.pth` or `.pt` file.

    Raises:
        WeightsError: It is missing, too large, damaged, or holds anything but finite tensors.
    """
    if path.suffix not in (SAFETENSORS, *PICKLED):
        raise WeightsError(f"{path} is no weights file: its name must end in {SAFETENSORS}, .pth or .pt.")
    try:
        if not path.is_file():
            raise WeightsError(f"There is no weights file {path}: check the path.")
        _check_bytes(path.stat().st_size, str(path))
        found = _read_safetensors(path) if path.suffix == SAFETENSORS else Checkpoint(_read_pickled(path), {})
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from None
    return found._replace(state=checked(found.state, name=str(path)))


def download(weights: WeightsEnum, *, name: str) -> dict[str, Tensor]:
    """Fetches torchvision's weights once, checks their hash, and returns their tensors.

    Raises:
        WeightsError: There is no network, what came is damaged, or it cannot be stored.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    instead = "try again, or choose builtin or random"
    try:
        state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True, map_location="cpu")
    except HTTPError as error:
        raise _not_downloaded(name, f"the server answered {error.code}", instead) from None
    except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = f"no network? {getattr(error, 'reason', error)}"
        raise _not_downloaded(name, reason, f"connect and {instead}") from None
    except OSError as error:
        reason = f"{cached.parent}: {error.strerror or error}"
        raise _not_downloaded(name, reason, "make room there, or choose builtin or random") from None
    except Exception as error:  # whatever a damaged pickle makes PyTorch raise
        if "invalid hash" in str(error):
            raise _not_downloaded(name, "what arrived has the wrong hash", instead) from None
        raise WeightsError(f"The {name} weights in {cached} are damaged: delete that file and try again.") from None
    return checked(state, name=f"The {name} weights")


def write(path: Path, state: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes a `.safetensors` file, whole or not at all.

    Raises:
        WeightsError: The name has another ending, or the file cannot be written.
    """
    if path.suffix != SAFETENSORS:
        raise WeightsError(f"{path} is no name for weights: it must end in {SAFETENSORS}.")
    try:
        with write_atomically(path) as beside:
            save_file({key: value.detach().cpu().contiguous() for key, value in state.items()}, beside, metadata)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be written: {error}. Check the folder and its free space.") from None


def write_pickled(path: Path, content: Any) -> None:
    """Writes tensors in plain containers as PyTorch does (`.pth`, `.pt`), whole or not at all.

    Raises:
        WeightsError: The file cannot be written.
    """
    try:
        with write_atomically(path) as beside:
            torch.save(content, beside)
    except (OSError, RuntimeError) as error:  # PyTorch's writer raises the second, for a full disk, too
        raise WeightsError(f"{path} cannot be written: {error}. Check the folder and its free space.") from None


def checked(state: Any, *, name: str) -> dict[str, Tensor]:
    """Returns the tensors of a state dict, unwrapped, in float32, sharing no memory with a file.

    Raises:
        WeightsError: It is not a dictionary of ordinary finite tensors, or too large.
    """
    for wrapper in WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not state:
        raise WeightsError(f"{name} holds no state dict: save model.state_dict() and choose that file.")
    for key, value in state.items():
        if not isinstance(key, str) or not _ordinary(value):
            raise WeightsError(f"{name} holds more than ordinary tensors ({key!r}): save model.state_dict() alone.")
    _check_bytes(sum(value.numel() * max(value.element_size(), 4) for value in state.values()), name)
    result = {key: value.detach().to(_kept_type(value), copy=True) for key, value in state.items()}
    for key, value in result.items():
        if not value.isfinite().all():
            raise WeightsError(f"{name} has values in {key} that are not finite numbers: choose an undamaged file.")
    return result


def _ordinary(value: Any) -> bool:
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
        and not value.is_complex()
    )


def _kept_type(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype


def _read_safetensors(path: Path) -> Checkpoint:
    try:
        with safe_open(path, framework="pt") as file:
            return Checkpoint({key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {})  # noqa: SIM118
    except SafetensorError:
        raise WeightsError(f"{path} is damaged or no safetensors file: choose another or fetch it again.") from None


def _read_pickled(path: Path) -> Any:
    with path.open("rb") as file:
        try:
            if zipfile.is_zipfile(file):  # a small archive may unpack to more than memory holds
                with zipfile.ZipFile(file) as archive:
                    _check_bytes(sum(entry.file_size for entry in archive.infolist()), str(path))
            file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True)
        except WeightsError:
            raise
        except Exception:  # whatever a damaged or hostile file makes zipfile and PyTorch raise
            raise WeightsError(
                f"{path} is damaged or holds more than tensors: save model.state_dict() alone, as .safetensors or .pth."
            ) from None


def _not_downloaded(name: str, reason: str, remedy: str) -> WeightsError:
    return WeightsError(f"The {name} weights could not be downloaded ({reason}): {remedy}.")


def _check_bytes(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise WeightsError(
            f"{name} holds {size / 1e9:.1f} GB; at most {MAX_BYTES / 1e9:.0f} GB are read: choose a RetinaNet's."
        )

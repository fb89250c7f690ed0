"""Reading, downloading and writing of state dicts. Files are not trusted: only finite tensors are read from them."""

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

MAX_BYTES = 2 * 10**9  # of a file and of its tensors; the largest RetinaNet here has 0.4 · 10⁹
SAFETENSORS, PICKLED = ".safetensors", (".pth", ".pt")
WRAPPERS = ("model", "state_dict")  # keys under which training scripts store the state dict


class WeightsFile(NamedTuple):
    """The content of a weights file.

    Attributes:
        state: Tensors by key, on the CPU; floating ones are float32 and finite.
        metadata: Text by key, unchecked.
    """

    state: dict[str, Tensor]
    metadata: dict[str, str]


def read(path: Path) -> WeightsFile:
    """Reads a `.safetensors`, `.pth` or `.pt` file.

    Raises:
        WeightsError: The file is missing, too large, damaged, or contains anything but finite tensors.
    """
    if path.suffix not in (SAFETENSORS, *PICKLED):
        raise WeightsError(f"{path} is not a weights file: its name must end in {SAFETENSORS}, .pth or .pt.")
    try:
        if not path.is_file():
            raise WeightsError(f"The weights file {path} does not exist: check the path.")
        _check_bytes(path.stat().st_size, str(path))
        found = _read_safetensors(path) if path.suffix == SAFETENSORS else WeightsFile(_read_pickled(path), {})
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}. Check the path.") from None
    return found._replace(state=validate(found.state, name=str(path)))


def download(weights: WeightsEnum, *, name: str) -> dict[str, Tensor]:
    """Downloads torchvision's weights unless they are cached, checks their hash, and returns their tensors.

    Raises:
        WeightsError: There is no connection, the download is damaged, or it cannot be stored.
    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    instead = "try again, or choose builtin or random"
    try:
        state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True, map_location="cpu")
    except HTTPError as error:
        raise _download_error(name, f"the server answered {error.code}", instead) from None
    except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = f"no connection? {getattr(error, 'reason', error)}"
        raise _download_error(name, reason, f"connect and {instead}") from None
    except OSError as error:
        reason = f"{cached.parent}: {error.strerror or error}"
        raise _download_error(name, reason, "free some space there, or choose builtin or random") from None
    except Exception as error:  # PyTorch raises many types for a damaged pickle
        if "invalid hash" in str(error):
            raise _download_error(name, "the downloaded file has the wrong hash", instead) from None
        raise WeightsError(f"The {name} weights in {cached} are damaged: delete that file and try again.") from None
    return validate(state, name=f"The {name} weights")


def write(path: Path, state: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes a `.safetensors` file atomically.

    Raises:
        WeightsError: The name has a different suffix, or the file cannot be written.
    """
    if path.suffix != SAFETENSORS:
        raise WeightsError(f"{path} is not a name for weights: it must end in {SAFETENSORS}.")
    try:
        with write_atomically(path) as beside:
            save_file({key: value.detach().cpu().contiguous() for key, value in state.items()}, beside, metadata)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be written: {error}. Check the folder and its free space.") from None


def write_pickled(path: Path, content: Any) -> None:
    """Writes tensors in plain containers in PyTorch's format (`.pth`, `.pt`) atomically.

    Raises:
        WeightsError: The file cannot be written.
    """
    try:
        with write_atomically(path) as beside:
            torch.save(content, beside)
    except (OSError, RuntimeError) as error:  # PyTorch's writer raises RuntimeError, for example for a full disk
        raise WeightsError(f"{path} cannot be written: {error}. Check the folder and its free space.") from None


def validate(state: Any, *, name: str) -> dict[str, Tensor]:
    """Unwraps a state dict and returns its tensors, in float32 and without memory shared with a file.

    Raises:
        WeightsError: The state dict is not a dictionary of ordinary finite tensors, or it is too large.
    """
    for wrapper in WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not state:
        raise WeightsError(f"{name} holds no state dict: save model.state_dict() and choose that file.")
    for key, value in state.items():
        if not isinstance(key, str) or not _is_ordinary(value):
            raise WeightsError(f"{name} holds more than ordinary tensors ({key!r}): save model.state_dict() alone.")
    _check_bytes(sum(value.numel() * max(value.element_size(), 4) for value in state.values()), name)
    result = {key: value.detach().to(_stored_dtype(value), copy=True) for key, value in state.items()}
    for key, value in result.items():
        if not value.isfinite().all():
            raise WeightsError(f"{name} has values in {key} that are not finite numbers: choose an undamaged file.")
    return result


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


def _read_safetensors(path: Path) -> WeightsFile:
    try:
        with safe_open(path, framework="pt") as file:
            return WeightsFile({key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {})  # noqa: SIM118
    except SafetensorError:
        raise WeightsError(f"{path} is damaged or not a safetensors file: choose another or fetch it again.") from None


def _read_pickled(path: Path) -> Any:
    with path.open("rb") as file:
        try:
            if zipfile.is_zipfile(file):  # a small archive may unpack to more than fits in memory
                with zipfile.ZipFile(file) as archive:
                    _check_bytes(sum(entry.file_size for entry in archive.infolist()), str(path))
            file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True)
        except WeightsError:
            raise
        except Exception:  # zipfile and PyTorch raise many types for a damaged or hostile file
            raise WeightsError(
                f"{path} is damaged or holds more than tensors: save model.state_dict() alone, as .safetensors or .pth."
            ) from None


def _download_error(name: str, reason: str, remedy: str) -> WeightsError:
    return WeightsError(f"The {name} weights could not be downloaded ({reason}): {remedy}.")


def _check_bytes(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise WeightsError(
            f"{name} holds {size / 1e9:.1f} GB; at most {MAX_BYTES / 1e9:.0f} GB are read: choose a RetinaNet."
        )

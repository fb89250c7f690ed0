"""What a file is by its content, whatever its name, and weights of other libraries: named when they are refused."""

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from core.io.signatures import LFS_POINTER, name_archive
from core.weights.architecture import WeightsError

HEAD = 4096  # bytes at the beginning of a file that are looked at
MAX_HEADER = 10**8  # bytes of the header of a safetensors file, as that library has it
LIBRARY = "convert them to the keys of torchvision's RetinaNet, or choose weights saved here or by torchvision"
DIFFERS = f"{LIBRARY}; the command differ names the conventions that must be converted, too"
SCALED = f"{LIBRARY}; its deltas are scaled by 0.1 and 0.2, and its anchors begin half a stride later"
NETWORK = "choose weights of a RetinaNet"
UNPACK = "unpack it and choose the weights file in it"


class Kind(Enum):
    """How the content of a weights file is stored."""

    SAFETENSORS = "safetensors"
    PICKLED = "pickled by PyTorch, in an archive or not"


class Foreign(NamedTuple):
    """Weights that are not those of torchvision's RetinaNet.

    Attributes:
        name: Whose they are.
        keys: Parts of keys that tell so.
        packages: Beginnings of the names of its classes, which its files may hold as objects.
        advice: What to do.
        of_retinanet: Parts of keys that only its RetinaNet has; () if `keys` are such.
    """

    name: str
    keys: tuple[str, ...]
    packages: tuple[str, ...] = ()
    advice: str = NETWORK
    of_retinanet: tuple[str, ...] = ()


FOREIGN = (
    Foreign(
        "detectron2",
        ("backbone.bottom_up.", "backbone.fpn_lateral"),
        ("detectron2.", "fvcore."),
        DIFFERS,
        ("head.cls_subnet.", "head.cls_score."),
    ),
    Foreign("MMDetection", ("bbox_head.",), ("mmengine.", "mmcv.", "mmdet."), DIFFERS, ("bbox_head.retina_",)),
    Foreign("pytorch-retinanet", ("classificationModel.", "regressionModel."), ("retinanet.",), SCALED),
    Foreign("YOLO", ("model.0.conv.",), ("ultralytics.", "models.yolo.", "models.common.")),
    Foreign("EfficientDet", ("class_net.predict.", "box_net.predict."), ("effdet.",)),
    Foreign("torchvision's Faster R-CNN or Mask R-CNN", ("roi_heads.", "rpn.head.")),
    Foreign("torchvision's FCOS", ("head.regression_head.bbox_ctrness.",)),
    Foreign("torchvision's SSD", ("head.classification_head.module_list.",)),
    Foreign("DETR", ("bbox_embed.", "bbox_predictor.layers.")),
)
HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP, PICKLE, PICKLED_BY_PYTORCH = b"PK\x03\x04", b"\x80", b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # its magic number


def recognise_kind(path: Path) -> Kind | None:
    """Returns how the content of a file is stored, None if it may be anything.

    Raises:
        WeightsError: The file is something that people take for weights.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    _refuse_other_files(head, str(path))
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= min(path.stat().st_size - 8, MAX_HEADER):
        return Kind.SAFETENSORS
    if head.startswith(PICKLE) and PICKLED_BY_PYTORCH not in head:
        refuse_foreign([head.decode("latin-1")], name=str(path), is_part=True)  # as detectron2's with NumPy's arrays
        raise WeightsError(f"{path} is a pickle that PyTorch did not write: write the state dict with torch.save.")
    return Kind.PICKLED if head.startswith((ZIP, PICKLE)) else None


def refuse_text(path: Path) -> None:
    """Raises `WeightsError` for text, such as the answer of a server that did not send the file."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.isascii() and all(byte >= 32 or byte in b"\t\n\r" for byte in head):
        raise WeightsError(f"{path} is text and not a weights file: if it was downloaded, fetch it again.")


def refuse_foreign(keys: Iterable[str], *, name: str, is_part: bool = False) -> None:
    """Raises `WeightsError` if the keys of state dicts are those of another library or network.

    Args:
        keys: The keys, or texts that contain some.
        name: Name of the file in the message.
        is_part: True if there are further keys, so that the heads of a RetinaNet may be among these.
    """
    texts = list(keys)
    for foreign in FOREIGN:
        if _have_any(texts, foreign.keys):
            other = foreign.of_retinanet and _have_any(texts, ["head"]) and not _have_any(texts, foreign.of_retinanet)
            raise _foreign_error(foreign._replace(advice=NETWORK) if other and not is_part else foreign, name)


def _have_any(texts: Iterable[str], parts: Iterable[str]) -> bool:
    return any(part in text for part in parts for text in texts)


def refuse_foreign_class(full_name: str, *, name: str) -> None:
    """Raises `WeightsError` if a file holds an object of a class of another library."""
    for foreign in FOREIGN:
        if full_name.startswith(foreign.packages):
            raise _foreign_error(foreign, name)


def _foreign_error(foreign: Foreign, name: str) -> WeightsError:
    return WeightsError(f"{name} holds weights of {foreign.name}, not of torchvision's RetinaNet: {foreign.advice}.")


def _refuse_other_files(head: bytes, name: str) -> None:
    if not head:
        raise WeightsError(f"{name} is empty: fetch it again, or choose another file.")
    if head.startswith(LFS_POINTER):
        raise WeightsError(
            f"{name} is a Git LFS pointer, which stands for the weights file: run git lfs pull, or download the file "
            "itself."
        )
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        raise WeightsError(f"{name} is a web page and not a weights file: download the file that the page offers.")
    if name_archive(head):
        raise WeightsError(f"{name} is a compressed file or an archive: {UNPACK}.")
    if head.startswith(HDF5):
        raise WeightsError(f"{name} is an HDF5 file, as Keras saves weights: {NETWORK} of PyTorch.")

"""Altered pictures and weights, opened as the page opens uploads."""

import io
import random as random_numbers
from pathlib import Path
from random import Random

import torch
from PIL import Image
from safetensors.torch import save

from benchmarks.attack.mutations import alter_bytes
from benchmarks.attack.outcome import Attempt
from core.config import Model
from core.io.paths import hide_folder
from core.retinanet.model import build_model
from core.weights.architecture import WeightsError
from core.weights.sources import load_weights
from playground.data.picture import open_upload

PICTURES = ("png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm", "ico")
KEPT = ("head.regression_head.bbox_reg", "head.classification_head.cls_logits", "backbone.fpn.layer_blocks")


def attack_pictures(folder: Path) -> Attempt:
    """Prepares altered pictures."""
    valid = [_make_picture(format, mode) for format in PICTURES for mode in ("RGB", "L")]
    valid += [_make_picture("png", mode) for mode in ("P", "1", "LA", "RGBA", "I;16")]
    valid.append(_make_picture("jpeg", "RGB", progressive=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"))

    def attempt(random: Random) -> None:
        path = folder / "picture"
        path.write_bytes(alter_bytes(random.choice(valid), random))
        open_upload(str(path), "picture.png", ())

    return attempt


def attack_weights(folder: Path) -> Attempt:
    """Prepares altered weights in all containers."""
    state = _make_state()
    valid = {
        "a.safetensors": save(state, {"names": '["cat"]'}),
        "a.pth": _pickle(state),
        "b.pth": _pickle(state, _use_new_zipfile_serialization=False),
        "c.pth": _pickle({"model": state, "epoch": 3, "optimizer": {"state": {0: {"step": 1}}}, "args": None}),
    }

    def attempt(random: Random) -> None:
        name = random.choice(sorted(valid))
        path = folder / name
        path.write_bytes(alter_bytes(valid[name], random))
        try:
            load_weights(str(path))
        except WeightsError as error:  # as the page says it
            raise WeightsError(hide_folder(str(error), folder, name)) from None

    return attempt


def _make_picture(format: str, mode: str, **options: object) -> bytes:
    numbers = random_numbers.Random(0)
    noise = Image.frombytes("RGB", (24, 16), numbers.randbytes(24 * 16 * 3))
    file = io.BytesIO()
    noise.convert(mode).save(file, format, **options)
    return file.getvalue()


def _make_state() -> dict[str, torch.Tensor]:
    """Returns some tensors of a small network, so that the file stays small."""
    model = build_model(Model(fpn_channels=32, num_convs=0), num_classes=1, anchors_per_location=1)
    return {key: value for key, value in model.state_dict().items() if key.startswith(KEPT)}


def _pickle(content: object, **options: bool) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()

"""Exports a detector as a zip: weights, settings, and a script that runs them with torchvision alone."""

import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from core.config import Config
from core.export.torchvision import to_torchvision
from core.io.atomic import write_atomically
from core.retinanet.model import RetinaNet
from core.weights.sources import WeightsError, save_weights

WEIGHTS, SETTINGS, SCRIPT, REQUIREMENTS = "weights.safetensors", "settings.json", "detect.py", "requirements.txt"
PACKAGES = ("torch", "torchvision", "safetensors", "pillow")  # imported by the script

HEAD = f'''"""Detects objects in pictures with torchvision's RetinaNet and the weights beside this file.

    pip install -r {REQUIREMENTS}
    python {SCRIPT} photo.jpg another.png

It prints a line of JSON for each object: picture, class, score, and box as x1, y1, x2, y2 in pixels. In a program,
`from detect import detect`. {SETTINGS} contains all training settings.
"""

import json
import sys
from pathlib import Path

import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torchvision.transforms.functional import pil_to_tensor

'''

TAIL = f'''
# The tensors have torchvision's names, so they load unchanged.
model.load_state_dict(load_file(Path(__file__).with_name("{WEIGHTS}")))
model.eval()


def detect(path):
    """Returns the detections in a picture, best first."""
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")  # upright, by its EXIF orientation
    with torch.inference_mode():
        found = model([pil_to_tensor(picture) / 255])[0]
    parts = zip(found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist())
    return [
        {{"picture": str(path), "class": CLASSES[label], "score": score, "box": box}} for label, score, box in parts
    ]


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        for each in detect(argument):
            print(json.dumps(each))
'''


def write_bundle(
    path: Path, model: RetinaNet, config: Config, class_names: Sequence[str], category_ids: Sequence[int]
) -> None:
    """Writes a zip with weights, settings, a script and its requirements, atomically.

    Args:
        path: Path of the zip.
        model: The network.
        config: Its settings, from `core.weights.sources.adopt`.
        class_names: The K class names.
        category_ids: The K category ids for COCO results files.

    Raises:
        WeightsError: The zip cannot be written.
    """
    texts = {
        SETTINGS: config.replace({"model.weights": WEIGHTS}).to_json(),
        SCRIPT: build_script(config, class_names, norm_eps=model.norm_eps),
        REQUIREMENTS: "".join(f"{name}=={version(name).split('+')[0]}\n" for name in PACKAGES),
    }
    try:
        with (
            write_atomically(path) as partial,
            zipfile.ZipFile(partial, "w") as archive,
            TemporaryDirectory() as folder,
        ):
            save_weights(Path(folder, WEIGHTS), model, config, class_names, category_ids)
            archive.write(Path(folder, WEIGHTS), WEIGHTS)
            for name, text in texts.items():
                archive.writestr(name, text, zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {error}. Check the folder and its free space.") from None


def build_script(config: Config, class_names: Sequence[str], *, norm_eps: float) -> str:
    """Returns a script that builds torchvision's network (`to_torchvision`), loads the weights and detects objects."""
    classes = f"CLASSES = {tuple(class_names)!r}\n"
    return HEAD + to_torchvision(config, len(class_names), norm_eps=norm_eps) + classes + TAIL

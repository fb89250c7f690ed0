"""A detector to take home in one zip: weights, settings, and a script that runs them with torchvision alone."""

import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from core.config import Config
from core.export.torchvision import as_torchvision
from core.io.atomic import write_atomically
from core.retinanet.model import RetinaNet
from core.weights.sources import WeightsError, save_weights

WEIGHTS, SETTINGS, SCRIPT, REQUIREMENTS = "weights.safetensors", "settings.json", "detect.py", "requirements.txt"
PACKAGES = ("torch", "torchvision", "safetensors", "pillow")  # that the script imports

HEAD = f'''"""Finds objects in pictures with torchvision's RetinaNet and the weights beside this file.

    pip install -r {REQUIREMENTS}
    python {SCRIPT} photo.jpg another.png

It prints a line of JSON for each object: picture, class, score, and box as x1, y1, x2, y2 in pixels. In a program,
`from detect import detect`. {SETTINGS} holds all settings of the training.
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
# The tensors have torchvision's names, so they load as they are.
model.load_state_dict(load_file(Path(__file__).with_name("{WEIGHTS}")))
model.eval()


def detect(path):
    """Returns what is found in a picture, best first."""
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")  # upright, as cameras mean it
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
    """Writes a zip with weights, settings, script and its requirements, whole or not at all.

    Args:
        path: Of the zip.
        model: The network.
        config: Its settings, from `core.weights.sources.adopt`.
        class_names: One a class, K.
        category_ids: What COCO-results files call each class, K.

    Raises:
        WeightsError: It cannot be written.
    """
    texts = {
        SETTINGS: config.replace({"model.weights": WEIGHTS}).to_json(),
        SCRIPT: script_of(config, class_names, norm_eps=model.norm_eps),
        REQUIREMENTS: "".join(f"{name}=={version(name).split('+')[0]}\n" for name in PACKAGES),
    }
    try:
        with write_atomically(path) as beside, zipfile.ZipFile(beside, "w") as archive, TemporaryDirectory() as place:
            save_weights(Path(place, WEIGHTS), model, config, class_names, category_ids)
            archive.write(Path(place, WEIGHTS), WEIGHTS)
            for name, text in texts.items():
                archive.writestr(name, text, zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {error}. Check the folder and its free space.") from None


def script_of(config: Config, class_names: Sequence[str], *, norm_eps: float) -> str:
    """Returns the script: torchvision's network as `as_torchvision` builds it, what it loads, and what it is for."""
    classes = f"CLASSES = {tuple(class_names)!r}\n"
    return HEAD + as_torchvision(config, len(class_names), norm_eps=norm_eps) + classes + TAIL

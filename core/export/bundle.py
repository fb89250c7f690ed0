"""Exports a detector as a zip: weights, settings, and a script that runs them with torchvision alone."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from inspect import getsource
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import torch
from torch import Tensor

from core.config import Config
from core.data.images import to_pil
from core.errors import PictureError
from core.export.torchvision import require_same_inference, to_torchvision
from core.io import decoding, picture_bounds, slow_formats
from core.io.atomic import OutputError, write_atomically
from core.io.troubles import explain
from core.retinanet.model import RetinaNet
from core.retinanet.preprocess import require_usable_sides
from core.structures import Detections
from core.weights.sources import WeightsError, save_weights

WEIGHTS, SETTINGS, SCRIPT, REQUIREMENTS = "weights.safetensors", "settings.json", "detect.py", "requirements.txt"
PACKAGES = ("torch", "torchvision", "safetensors", "pillow", "numpy")  # imported by the script
OWN_IMPORT = re.compile(r"^from core\..*\n", re.MULTILINE)
MAX_SECONDS = 600  # in which the script detects objects in one picture
# Runs the script in a process of its own: it must not need this library, and it changes torchvision's losses.
RUN = f"""
import sys
sys.path.insert(0, ".")
import {Path(SCRIPT).stem} as script
script.model.score_thresh = float(sys.argv[1])
sys.exit(script.main(sys.argv[2:]))
"""

HEAD = f'''"""Detects objects in pictures with torchvision's RetinaNet and the weights beside this file.

    pip install -r {REQUIREMENTS}
    python {SCRIPT} photo.jpg another.png

It prints a line of JSON for each object: picture, class, label (the number of the class, from 0), score, and box as x1,
y1, x2, y2 in pixels. In a program, `from detect import detect`. {SETTINGS} contains all training settings.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

'''

TAIL = f'''
# The tensors have torchvision's names, so they load unchanged.
model.load_state_dict(load_file(Path(__file__).with_name("{WEIGHTS}")))
model.eval()


def detect(path):
    """Returns the detections in a picture, best first; raises PictureError if it cannot be opened."""
    image = decode_image(path)
    require_usable_sides(image.shape[1], image.shape[2], model.transform.max_size)
    with torch.inference_mode():
        found = model([image / 255])[0]
    return [
        {{"picture": str(path), "class": CLASSES[label], "label": label, "score": score, "box": box}}
        for label, score, box in zip(*(found[key].tolist() for key in ("labels", "scores", "boxes")))
    ]


def main(paths):
    """Prints the detections in pictures; returns 1 if some cannot be opened, which it names, and 0 otherwise."""
    status = 0
    for path in paths:
        try:
            found = detect(path)
        except PictureError as error:
            print(f"error: {{error}}", file=sys.stderr)
            found, status = [], 1
        for each in found:
            print(json.dumps(each))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''


def write_bundle(
    path: Path,
    model: RetinaNet,
    config: Config,
    class_names: Sequence[str],
    category_ids: Sequence[int],
    trained_on: str = "",
    assumed: Sequence[str] = (),
) -> None:
    """Writes a zip with weights, settings, a script and its requirements, atomically.

    Args:
        path: Path of the zip.
        model: The network.
        config: Its settings, from `core.weights.sources.adopt`.
        class_names: The K class names.
        category_ids: The K category ids for COCO results files.
        trained_on: The pictures it was trained on, as in `Weights`.
        assumed: What is assumed of it, as in `Weights`.

    Raises:
        ConfigError: A setting has no counterpart in torchvision, so that the script would detect something else.
        WeightsError: The zip cannot be written.
    """
    require_same_inference(config)
    texts = _build_texts(config, class_names)
    try:
        with (
            write_atomically(path) as partial,
            zipfile.ZipFile(partial, "w") as archive,
            TemporaryDirectory() as folder,
        ):
            names = class_names, category_ids
            save_weights(Path(folder, WEIGHTS), model, config, *names, trained_on=trained_on, assumed=assumed)
            archive.write(Path(folder, WEIGHTS), WEIGHTS)
            for name, text in texts.items():
                archive.writestr(name, text, zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {explain(error)}") from None


def _build_texts(config: Config, class_names: Sequence[str]) -> dict[str, str]:
    """Returns the content of the text files of a bundle, by name."""
    return {
        SETTINGS: config.replace({"model.weights": WEIGHTS}).to_json(),
        SCRIPT: build_script(config, class_names),
        REQUIREMENTS: "".join(f"{name}=={version(name).split('+')[0]}\n" for name in PACKAGES),
    }


def read_bundle(path: Path, picture: Tensor, config: Config) -> Detections:
    """Detects with the script in a zip of `write_bundle`, at the score threshold of the settings.

    Raises:
        OutputError: The script does not run.
    """
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        file = Path(folder, "picture.png")
        to_pil(picture).save(file)
        command = [sys.executable, "-I", "-X", "utf8", "-c", RUN, repr(config.inference.score_threshold), file.name]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired:
            raise OutputError(f"its script takes more than {MAX_SECONDS // 60} minutes for a picture.") from None
    if done.returncode:
        raise OutputError(f"its script fails ({done.stderr.strip().rpartition(chr(10))[2]}).")
    return _parse(done.stdout)


def _parse(printed: str) -> Detections:
    """Parses what the script prints."""
    try:
        found = [json.loads(line) for line in printed.splitlines()]
        return Detections(
            torch.tensor([each["box"] for each in found]).view(-1, 4),
            torch.tensor([each["score"] for each in found]),
            torch.tensor([each["label"] for each in found], dtype=torch.int64),
        )
    except (ValueError, TypeError, KeyError, RuntimeError):  # the last for boxes without four sides
        raise OutputError("its script prints something else than detections.") from None


def build_script(config: Config, class_names: Sequence[str]) -> str:
    """Returns a script that builds torchvision's network (`to_torchvision`), loads the weights and detects objects."""
    network = to_torchvision(config, len(class_names))
    classes = f"CLASSES = {tuple(class_names)!r}\n"
    return "".join((HEAD, build_picture_reader(), "\n\n", network, classes, TAIL))


def build_picture_reader() -> str:
    """Returns the code with which this library opens pictures, as source that does not need the library."""
    error = getsource(PictureError).replace("(UserError)", "(Exception)")
    return "\n\n".join((error, *map(_strip, (picture_bounds, slow_formats, decoding)), getsource(require_usable_sides)))


def _strip(module: ModuleType) -> str:
    """Returns a module's source without its docstring and its imports from this project."""
    return OWN_IMPORT.sub("", getsource(module).removeprefix(f'"""{module.__doc__}"""\n'))

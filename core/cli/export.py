"""The command `export`: writes a detector for use elsewhere."""

from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.cli.common import load_detector
from core.config import Config, ConfigError
from core.export.bundle import read_bundle, write_bundle
from core.export.onnx import read_onnx, require_packages, write_onnx
from core.export.readback import FULL, HALF, Reader, make_reference, read_weights, write_compared
from core.io.atomic import OutputError, require_writable
from core.io.text import count_noun
from core.retinanet.model import RetinaNet
from core.weights.assumptions import to_record
from core.weights.sources import Weights, save_weights
from core.weights.state_dict import PICKLED, SAFETENSORS, fits_half

BUNDLE, ONNX = ".zip", ".onnx"
ENDINGS = (SAFETENSORS, *PICKLED, BUNDLE, ONNX)


class Format(NamedTuple):
    """How a detector is written to a file, and how the file is read back.

    Attributes:
        write: Writes the file at a path.
        read: Detects with the file.
    """

    write: Callable[[Path], None]
    read: Reader


def export(config: Config, options: Namespace) -> dict[str, Any]:
    """Writes a detector in the format given by the file's extension.

    A `.safetensors` or `.pth` file holds tensors that torchvision's RetinaNet of the same architecture loads unchanged,
    with settings and class names for use by this library; a `.zip` file holds the weights with a script that runs them
    (`core.export.bundle`); an `.onnx` file holds the whole detector (`core.export.onnx`). Each file is kept only if it
    detects the same objects (`core.export.readback`).

    Raises:
        ConfigError: 16-bit weights are requested for a format other than `.safetensors`, or a setting is not supported.
        OutputError: The extension is not supported, or the file cannot be written or detects something else.
    """
    ending = options.out.suffix
    if options.half and ending != SAFETENSORS:
        raise ConfigError(f"--half is available for {SAFETENSORS} files only, not for {options.out}.")
    require_writable(options.out)
    if ending not in ENDINGS:
        raise OutputError(f"{options.out} has an unsupported extension: it must end in {', '.join(ENDINGS)}.")
    if ending == ONNX:
        require_packages()
    config, weights, model = load_detector(config, options.classes)
    model = model.cpu()
    form = _choose_format(ending, config, weights, model, half=options.half)
    tolerance = HALF if options.half else FULL
    reference = make_reference(model, config, weak=form.read is read_weights)
    compared = write_compared(options.out, form.write, form.read, reference, tolerance)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{options.out}: {parameters:,} parameters, {count_noun(model.num_classes, 'class', 'classes')}")
    print(f"Read back, it finds the same {count_noun(compared, 'detection')} in a test picture.")
    if options.half:
        _name_unfit(model)
    return {
        "file": str(options.out),
        "classes": list(weights.class_names),
        "about_weights": to_record(weights, config),
        "model": config.model.model_dump(mode="json"),
        "anchors": config.anchors.model_dump(mode="json"),
    }


def _choose_format(ending: str, config: Config, weights: Weights, model: RetinaNet, *, half: bool) -> Format:
    described: dict[str, Any] = {"model": model, "config": config, "class_names": weights.class_names}
    if ending == ONNX:
        return Format(partial(write_onnx, **described), read_onnx)
    described |= {
        "category_ids": weights.category_ids,
        "trained_on": weights.trained_on,
        "assumed": weights.assumed,
    }
    if ending == BUNDLE:
        return Format(partial(write_bundle, **described), read_bundle)
    return Format(partial(save_weights, half=half, **described), read_weights)


def _name_unfit(model: RetinaNet) -> None:
    """Prints which tensors 16 bits cannot hold."""
    state = model.state_dict()
    unfit = [key for key, value in state.items() if value.is_floating_point() and not fits_half(key, value)]
    if unfit:
        print(f"Kept at 32 bits, because 16 cannot hold their values: {len(unfit)} tensors, such as {unfit[0]}.")

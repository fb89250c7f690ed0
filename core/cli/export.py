"""The command `export`: writes a detector for use elsewhere."""

from argparse import Namespace
from typing import Any

from core.cli.common import load_detector
from core.config import Config, ConfigError
from core.export.bundle import write_bundle
from core.export.onnx import write_onnx
from core.io.atomic import OutputError, require_writable
from core.weights.sources import save_weights
from core.weights.state_dict import PICKLED, SAFETENSORS, write_pickled

BUNDLE, ONNX = ".zip", ".onnx"
ENDINGS = (SAFETENSORS, *PICKLED, BUNDLE, ONNX)


def export(config: Config, options: Namespace) -> dict[str, Any]:
    """Writes a detector in the format given by the file's extension.

    A `.safetensors` file holds tensors that torchvision's RetinaNet of the same architecture loads unchanged, with
    settings and class names for use by this library; a `.pth` file holds the plain state dict; a `.zip` file the
    weights with a script that runs them (`core.export.bundle`); an `.onnx` file the whole detector
    (`core.export.onnx`).

    Raises:
        ConfigError: 16-bit weights are requested for a format other than `.safetensors`.
        OutputError: The extension is not supported, or the file cannot be written.
    """
    ending = options.out.suffix
    if options.half and ending != SAFETENSORS:
        raise ConfigError(f"--half is available for {SAFETENSORS} files only, not for {options.out}.")
    require_writable(options.out)
    if ending not in ENDINGS:
        raise OutputError(f"{options.out} has an unsupported extension: it must end in {', '.join(ENDINGS)}.")
    config, weights, model = load_detector(config)
    names, ids = weights.class_names, weights.category_ids
    if ending in PICKLED:
        write_pickled(options.out, model.state_dict())
    elif ending == BUNDLE:
        write_bundle(options.out, model, config, names, ids)
    elif ending == ONNX:
        write_onnx(options.out, model, config, names)
    else:
        save_weights(options.out, model, config, names, ids, half=options.half)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{options.out}: {parameters:,} parameters, {model.num_classes} classes")
    return {
        "file": str(options.out),
        "classes": list(names),
        "model": config.model.model_dump(mode="json"),
        "anchors": config.anchors.model_dump(mode="json"),
    }

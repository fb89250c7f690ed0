"""What the command line does to take a detector home."""

from argparse import Namespace
from typing import Any

from core.checkpoints import PICKLED, write_pickled
from core.command_parts import load_detector
from core.config import Config
from core.files import require_writable
from core.knobs import ConfigError
from core.weights import save_weights


def export(config: Config, options: Namespace) -> dict[str, Any]:
    """Writes weights whose tensors torchvision's RetinaNet of the same architecture loads unchanged.

    A `.safetensors` file also holds settings and class names, for use here; a `.pth` file is the plain state dict.

    Raises:
        ConfigError: 16 bits are asked for in a `.pth` file.
    """
    pickled = options.out.suffix in PICKLED
    if pickled and options.half:
        raise ConfigError(f"--half goes with .safetensors files only, not with {options.out}.")
    require_writable(options.out)
    config, weights, model = load_detector(config)
    if pickled:
        write_pickled(options.out, model.state_dict())
    else:
        save_weights(options.out, model, config, weights.class_names, weights.category_ids, half=options.half)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{options.out}: {parameters:,} parameters, {model.num_classes} classes")
    return {
        "file": str(options.out),
        "classes": list(weights.class_names),
        "model": config.model.model_dump(mode="json"),
        "anchors": config.anchors.model_dump(mode="json"),
    }

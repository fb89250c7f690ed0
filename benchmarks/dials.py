"""AP of a detector along each setting of the scenes, all others at their defaults: does it fall slowly or suddenly?"""

import argparse
import json
from pathlib import Path
from typing import Any

from core.config import Config
from core.data.sources import open_data
from core.evaluation.coco_metrics import Metrics
from core.evaluation.dataset_predictions import evaluate_dataset
from core.io.atomic import write_text
from core.weights.sources import adopt, build, load_weights

DIALS: dict[str, tuple[dict[str, Any], ...]] = {
    "scenes.image_size": tuple({"scenes.image_size": size, "inference.image_size": size} for size in (160, 256, 384)),
    "scenes.max_objects": tuple(
        {"scenes.min_objects": low, "scenes.max_objects": high} for low, high in ((1, 2), (3, 10), (20, 30), (60, 60))
    ),
    "scenes.min_size": tuple({"scenes.min_size": size} for size in (0.02, 0.05, 0.1, 0.3)),
    "scenes.max_size": tuple({"scenes.max_size": size} for size in (0.1, 0.25, 0.5, 0.75, 1.0)),
    "scenes.elongation": tuple({"scenes.elongation": ratio} for ratio in (1.0, 2.0, 3.0, 5.0, 8.0)),
    "scenes.overlap": tuple({"scenes.overlap": share} for share in (0.0, 0.3, 0.5, 0.8)),
    "scenes.clutter": tuple({"scenes.clutter": amount} for amount in (0.0, 0.4, 0.7, 1.0)),
    "scenes.noise": tuple({"scenes.noise": amount} for amount in (0.0, 0.15, 0.3, 0.6, 1.0)),
    "scenes.imbalance": tuple({"scenes.imbalance": amount} for amount in (0.0, 0.5, 1.0)),
    "scenes.empty_share": tuple({"scenes.empty_share": share} for share in (0.0, 0.5, 0.9)),
}


def main() -> None:
    """Prints one line per setting and writes the metrics as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--images", type=int, default=100, help="held-out scenes for each value")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    weights = load_weights(options.weights)
    config = adopt(Config.from_flat({"training.eval_images": options.images}), weights)
    model = build(config, weights)
    table: dict[str, list[dict[str, Any]]] = {}
    for dial, values in DIALS.items():
        table[dial] = []
        for changes in values:
            here = config.replace(changes)
            data = open_data("scenes", "test", here.scenes, options.images)
            *_, (metrics, _) = evaluate_dataset(model, weights.class_names, data, here)
            assert isinstance(metrics, Metrics)
            figures = {key: value for key, value in metrics.to_dict().items() if key != "per_class"}
            table[dial].append({"value": changes[dial], **figures})
        print(f"{dial:20}", "  ".join(f"{each['value']:g}: {_figure(each['ap'])}" for each in table[dial]), flush=True)
    if options.json:
        write_text(options.json, json.dumps(table, indent=1) + "\n")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()

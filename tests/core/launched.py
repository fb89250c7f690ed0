"""Several runs of the command line that `test_distributed` starts in two processes of one training."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from core.cli.main import main

TINY = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 1,
    "model.batch_norm": "frozen",
    "model.freeze_stages": 2,
    "inference.image_size": 64,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "scenes.empty_share": 0.5,
    "training.batch_size": 4,
    "training.steps": 3,
    "training.optimizer": "sgd",
    "training.learning_rate": 0.01,
    "training.eval_images": 1,
    "training.warmup_steps": 0,
}
COMPARED = {
    "image": {"loss.normaliser": "image"},
    "batch": {"loss.normaliser": "batch", "loss.box_loss": "giou"},
    "moving_average": {"loss.normaliser": "moving_average", "training.schedule": "plateau"},
    "live": {"model.batch_norm": "live", "loss.normaliser": "batch", "training.optimizer": "sgd"},
    "parts": {"loss.normaliser": "batch", "training.accumulation": 2},
    "rare": {
        "scenes.imbalance": 1,
        "scenes.empty_share": 0,
        "scenes.min_objects": 1,
        "scenes.max_objects": 2,  # the objects of 1,500 scenes are laid out to find rare classes
        "loss.class_weights": "effective_number",
        "training.sampler": "repeat_factor",
        "training.repeat_threshold": 1,
    },
    "ghm": {"loss.kind": "ghm", "loss.normaliser": "batch"},
    "empty": {"scenes.empty_share": 1, "training.steps": 1},
}
STOPPED = {"model.batch_norm": "live", "training.steps": 100_000}


def train(folder: Path, name: str, settings: dict) -> int:
    flags = [f"--{path}={value}" for path, value in {**TINY, **settings}.items()]
    return main(["train", "--out", str(folder / name), "--json", str(folder / f"{name}.json"), "--workers=0", *flags])


def stop_this_process_once_it_trains(run: Path) -> None:
    while not (run / "metrics.jsonl").exists():
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    results = [train(place, name, settings) for name, settings in COMPARED.items()]
    if os.environ["RANK"] == "1":
        threading.Thread(target=stop_this_process_once_it_trains, args=[place / "stopped"], daemon=True).start()
    results.append(train(place, "stopped", STOPPED))
    sys.exit(max(results))

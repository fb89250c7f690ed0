"""Measures how long large data sets take to open: a COCO file like COCO's own, and many YOLO label files.

    python benchmarks/open_large.py [--images 118000] [--boxes 860000] [--labels 20000]

Makes the data sets in a temporary folder, with empty files as pictures, and opens each in three new processes: for the
first time, again, and again without what was kept of the first time in memory. Prints seconds and the peak of memory;
imports do not count.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CLASSES = 80
SIZE = (640, 480)


def make_coco(folder: Path, images: int, boxes: int) -> None:
    """Writes a file with `boxes` boxes in `images` pictures."""
    dice = np.random.default_rng(0)
    (folder / "train2017").mkdir(parents=True)
    names = [f"{number:012}.jpg" for number in range(images)]
    for name in names:
        (folder / "train2017" / name).touch()
    corners = dice.uniform(0, 0.8, (boxes, 2)) * SIZE
    sizes = dice.uniform(0.01, 0.2, (boxes, 2)) * SIZE
    numbers = np.round(np.hstack([corners, sizes]), 2).tolist()
    owners, labels = dice.integers(images, size=boxes).tolist(), dice.integers(CLASSES, size=boxes).tolist()
    polygons = np.round(dice.uniform(0, 480, (boxes, 24)), 2).tolist()  # as long as those of COCO
    content = {
        "images": [{"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1], "license": 1,
                    "date_captured": "2013-11-14 17:02:52"} for number, name in enumerate(names)],
        "annotations": [{"id": number, "image_id": owner, "category_id": label + 1, "bbox": box, "iscrowd": 0,
                         "area": box[2] * box[3], "segmentation": [polygon]}
                        for number, (owner, label, box, polygon) in enumerate(
                            zip(owners, labels, numbers, polygons, strict=True))],
        "categories": [{"id": number + 1, "name": f"class {number}"} for number in range(CLASSES)],
    }  # fmt: skip
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances_train2017.json").write_text(json.dumps(content))


def make_yolo(folder: Path, labels: int) -> None:
    """Writes label files with five boxes each."""
    dice = np.random.default_rng(0)
    for part in ("images/train", "labels/train"):
        (folder / part).mkdir(parents=True)
    for number in range(labels):
        (folder / f"images/train/{number:06}.jpg").touch()
        boxes = dice.uniform((0.3, 0.3, 0.01, 0.01), (0.7, 0.7, 0.3, 0.3), (5, 4)).tolist()
        lines = (f"{number % CLASSES} {' '.join(f'{value:.6f}' for value in box)}\n" for box in boxes)
        (folder / f"labels/train/{number:06}.txt").write_text("".join(lines), "utf-8")
    names = "".join(f"  {number}: class {number}\n" for number in range(CLASSES))
    (folder / "data.yaml").write_text(f"train: images/train\nnames:\n{names}", "utf-8")


def measure(folder: str) -> None:
    """Opens the training split of a folder and prints the seconds, the pictures and the peak of memory."""
    from core.data.folders import open_folder

    start, processor = time.perf_counter(), time.process_time()
    data = open_folder(Path(folder), "train")
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(f"{seconds:6.2f} s ({processor:.2f} s of processor time), {len(data):,} pictures, peak {read_peak():.2f} GB")


def read_peak() -> float:
    """Returns the largest memory of this process so far, in GB; only Linux tells that of one process alone."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Makes the data sets and opens them in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=118_000)
    parser.add_argument("--boxes", type=int, default=860_000)
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--open", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        measure(options.open)
        return
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        make_coco(base / "coco", options.images, options.boxes)
        make_yolo(base / "yolo", options.labels)
        time.sleep(2)  # what has just been written is not kept
        environment = {**os.environ, "RETINANET_CACHE": str(base / "cache")}
        for name in ("coco", "yolo"):
            for which in ("first", "second"):
                print(f"{name:5} {which:7}", end="", flush=True)
                subprocess.run([sys.executable, __file__, "--open", str(base / name)], env=environment, check=True)


if __name__ == "__main__":
    main()

"""Writes YOLO's format: `data.yaml`, `labels/<split>/*.txt`, and the pictures in `images/<split>/`."""

from pathlib import Path, PurePosixPath

import numpy as np
import yaml

from core.data.writers.content import Content, Writer, WrittenImage

DIGITS = 8  # decimal places of a fraction: less than a ten-thousandth of a pixel in the largest pictures


def write_yolo(folder: Path, content: Content) -> None:
    """Writes the YAML file, and a file of labels for each picture, which is empty if the picture has no object."""
    settings = {split: f"images/{split}" for split in content.splits}
    values = {**settings, "nc": len(content.class_names), "names": dict(enumerate(content.class_names))}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000)
    (folder / "data.yaml").write_text(text, encoding="utf-8", newline="\n")
    for split, images in content.splits.items():
        for image in images:
            path = folder / "labels" / split / PurePosixPath(image.name).with_suffix(".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_describe(image), encoding="utf-8", newline="\n")


def _describe(image: WrittenImage) -> str:
    corners = image.boxes / np.tile(image.size, 2)
    centres, sizes = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    rows = zip(image.labels.tolist(), np.hstack([centres, sizes]).tolist(), strict=True)
    return "".join(f"{label} {' '.join(f'{value:.{DIGITS}f}' for value in box)}\n" for label, box in rows)


YOLO_WRITER = Writer("images/{split}", write_yolo, False, True, True)

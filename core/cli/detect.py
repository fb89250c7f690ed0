"""The command `detect`: finds objects in pictures and draws them."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from core.cli.common import load_detector, progress_bar
from core.config import Config
from core.data.images import open_image, to_pil
from core.evaluation.coco_metrics import build_coco_results
from core.io.atomic import OutputError
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.predict import detect as run_detector
from core.structures import Detections


def detect(config: Config, options: Namespace) -> list[dict[str, Any]]:
    """Detects objects in pictures; returns them in the COCO results format, with pictures numbered from 1 in order."""
    config, weights, model = load_detector(config)
    model = fuse_batch_norms(model)
    drawings = _prepare_drawings(options.pictures, options.annotate) if options.annotate else []
    results = []
    with progress_bar(total=len(options.pictures), show=True, unit="picture") as bar:
        for number, path in enumerate(options.pictures, start=1):
            picture = open_image(path)
            found = run_detector(model, [picture], config)[0]
            for result in build_coco_results([found], [number], weights.category_ids):
                results.append({**result, "file_name": path.name})
            if drawings:
                draw_detections(to_pil(picture), found, weights.class_names).save(drawings[number - 1])
            bar.update()
    print(f"{len(results)} detections in {len(options.pictures)} pictures")
    return results


def _prepare_drawings(pictures: Sequence[Path], folder: Path) -> list[Path]:
    """Creates the folder for the annotated pictures and returns their paths.

    Raises:
        OutputError: The folder cannot be created, or a drawing would replace one of the pictures.
    """
    stems = [path.stem for path in pictures]
    if len(set(stems)) < len(stems):  # such as a/1.png and b/1.png: prefix their numbers in the results
        width = len(str(len(stems)))
        stems = [f"{number:0{width}}-{stem}" for number, stem in enumerate(stems, start=1)]
    drawings = [folder / f"{stem}.png" for stem in stems]
    originals = {path.resolve() for path in pictures}
    for drawing in drawings:
        if drawing.resolve() in originals:
            raise OutputError(f"The annotated picture {drawing} would replace a picture: choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be created: {error.strerror}.") from None
    return drawings


def draw_detections(picture: Image.Image, found: Detections, class_names: tuple[str, ...]) -> Image.Image:
    """Returns a copy of a picture with the boxes, class names and scores drawn on it."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    for box, score, label in zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True):
        draw.rectangle(box, outline="#e69f00", width=2)
        text = f"{class_names[label]} {score:.2f}"
        corner = (box[0] + 2, max(0.0, box[1] - 11))
        draw.rectangle(draw.textbbox(corner, text), fill="#e69f00")
        draw.text(corner, text, fill="black")
    return picture

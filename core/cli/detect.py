"""The command `detect`: finds objects in pictures and draws them."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from core.cli.common import load_detector, progress_bar
from core.cli.pictures import Pictures, find_pictures, name_drawings
from core.config import Config
from core.data.images import open_image, to_pil
from core.errors import IncompleteError, PictureError
from core.evaluation.coco_metrics import build_coco_results
from core.io.atomic import OutputError
from core.io.text import count_noun
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.predict import detect as run_detector
from core.structures import Detections


def detect(config: Config, options: Namespace) -> list[dict[str, Any]]:
    """Detects objects in pictures; returns them in the COCO results format, with pictures numbered from 1 in order.

    Pictures that cannot be used are left out, but keep their numbers.

    Raises:
        PictureError: No picture can be used, or one cannot and `--strict` is given.
        IncompleteError: Some pictures cannot be used; it holds the detections in the others.
    """
    pictures = find_pictures(options.pictures, without=options.annotate)
    config, weights, model = load_detector(config, options.classes)
    model = fuse_batch_norms(model)
    drawings = _prepare_drawings(pictures, options.annotate) if options.annotate else []
    results: list[dict[str, Any]] = []
    unusable: list[PictureError] = []
    for number, (path, name) in enumerate(_show_progress(pictures), start=1):
        try:
            picture = open_image(path)
            found = run_detector(model, [picture], config)[0]
        except PictureError as error:
            if options.strict or len(pictures.paths) == 1:
                raise
            unusable.append(error)
            continue
        for result in build_coco_results([found], [number], weights.category_ids):
            results.append({**result, "file_name": name})
        if drawings:
            draw_detections(to_pil(picture), found, weights.class_names).save(drawings[number - 1])
    used = len(pictures.paths) - len(unusable)
    summary = f"{count_noun(len(results), 'detection')} in {count_noun(used, 'picture')}"
    print("; ".join(filter(None, (summary, pictures.describe_left_out()))))
    for reason in unusable:
        print(f"Left out: {reason}")
    if unusable:
        total = count_noun(len(pictures.paths), "picture")
        message = f"{len(unusable):,} of {total} cannot be used. The first: {unusable[0]}"
        raise IncompleteError(message, results) if used else PictureError(message)
    return results


def _show_progress(pictures: Pictures) -> Iterator[tuple[Path, str]]:
    """Yields the path and the name of each picture, with a progress bar."""
    with progress_bar(total=len(pictures.paths), show=True, unit="picture") as bar:
        for path, name in zip(pictures.paths, pictures.names, strict=True):
            yield path, name
            bar.update()


def _prepare_drawings(pictures: Pictures, folder: Path) -> list[Path]:
    """Creates the folder for the annotated pictures and returns their paths.

    Raises:
        OutputError: The folder cannot be created, or a drawing would replace one of the pictures.
    """
    drawings = [folder / name for name in name_drawings(pictures.names)]
    originals = {path.resolve() for path in pictures.paths}
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

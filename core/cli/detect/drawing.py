"""Pictures with their detections drawn on them."""

from pathlib import Path

from PIL import Image, ImageDraw

from core.cli.detect.pictures import Pictures, name_drawings
from core.io.atomic import OutputError
from core.io.troubles import explain
from core.structures import Detections


def prepare_drawings(pictures: Pictures, folder: Path) -> list[Path]:
    """Creates the folder for the annotated pictures and returns their paths.

    Raises:
        OutputError: The folder cannot be created, or a drawing would replace one of the pictures.
    """
    drawings = [folder / name for name in name_drawings(pictures.names)]
    originals = {Path(path).resolve() for path in pictures.paths}
    for drawing in drawings:
        if drawing.resolve() in originals:
            raise OutputError(f"The annotated picture {drawing} would replace a picture: choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be created: {explain(error)}") from None
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

"""The visitor's picture: an upload, an image of a data set, or a scene with drawn objects."""

from typing import NamedTuple

from core.config import Config, Scenes
from core.retinanet.boxes import rescale
from playground.canvas.edit import parse_edit
from playground.data.image_ref import ImageRef
from playground.data.picture import Picture
from playground.pipeline.pipeline import Pipeline


class UserPicture(NamedTuple):
    """A picture that replaces the generated scene until the scene's knobs change.

    Attributes:
        picture: With its objects.
        scenes: The scene's knobs at the time it was chosen.
        image_ref: The image in its data set; None for an upload.
    """

    picture: Picture
    scenes: Scenes
    image_ref: ImageRef | None = None

    def is_shown(self, config: Config) -> bool:
        """True if the picture is on show under the settings."""
        return self.scenes == config.scenes


def draw_objects(boxes: object, pipeline: Pipeline) -> UserPicture:
    """Returns the picture with drawn objects.

    Args:
        boxes: List of boxes in the coordinates of the network's input, see `parse_edit`; untrusted.
        pipeline: The picture and the settings on show.

    Raises:
        UserError: `boxes` is no list of boxes.
    """
    names = classes_to_draw(pipeline)
    parsed, labels = parse_edit(boxes, pipeline.size[1], pipeline.size[0], len(names))
    x_factor, y_factor = pipeline.batch.factors[0, :2].tolist()
    picture = pipeline.picture.with_objects(rescale(parsed, x_factor, y_factor), labels, names)
    return UserPicture(picture, pipeline.config.scenes)


def classes_to_draw(pipeline: Pipeline) -> tuple[str, ...]:
    """Returns the classes of drawn objects: those of the picture if it has objects, else the network's."""
    return pipeline.picture.class_names if len(pipeline.objects[0]) else pipeline.class_names

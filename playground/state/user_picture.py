"""The visitor's picture: an upload, an image of a data set, or a scene with drawn objects."""

from collections.abc import Mapping
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
        image_ref: The image in its data set; None for an upload, or for a scene with drawn objects.
        aside: True for an upload while the generated scene is on show instead.
        upload: The upload that was on show before, so that the visitor can go back to it.
        is_drawn: True if the visitor has drawn its objects, which only their page has.
    """

    picture: Picture
    scenes: Scenes
    image_ref: ImageRef | None = None
    aside: bool = False
    upload: "UserPicture | None" = None
    is_drawn: bool = False

    def is_shown(self, config: Config) -> bool:
        """True if the picture is on show under the settings."""
        return not self.aside and self.scenes == config.scenes


def find_upload(user_picture: UserPicture | None) -> UserPicture | None:
    """Returns the visitor's last upload that no album holds, None if there is none."""
    if user_picture is None or user_picture.upload:
        return user_picture and user_picture.upload
    return None if user_picture.image_ref or user_picture.picture.is_scene else user_picture


def is_upload_shown(user_picture: UserPicture | None, config: Config) -> bool:
    """True if an upload that no album holds is on show."""
    return user_picture is not None and find_upload(user_picture) is user_picture and user_picture.is_shown(config)


def set_aside(user_picture: UserPicture | None) -> UserPicture | None:
    """Returns the state's picture while the generated scene is on show: an upload is kept, all others can be found."""
    upload = find_upload(user_picture)
    return upload and upload._replace(aside=True)


def show_again(user_picture: UserPicture | None, config: Config) -> UserPicture | None:
    """Returns the last upload, on show under the settings; None if there is none."""
    upload = find_upload(user_picture)
    return upload and upload._replace(aside=False, scenes=config.scenes)


def draw_objects(fields: Mapping[str, object], pipeline: Pipeline) -> UserPicture:
    """Returns the picture with drawn objects.

    Args:
        fields: Those of the event `edit`, boxes in the coordinates of the network's input, see `parse_edit`; untrusted.
        pipeline: The picture and the settings on show.

    Raises:
        UserError: The fields are not those of an edit.
    """
    height, width = pipeline.size
    edit = parse_edit(fields, width, height, classes_to_draw(pipeline))
    x_factor, y_factor = pipeline.batch.factors[0, :2].tolist()
    boxes = rescale(edit.boxes, x_factor, y_factor)
    picture = pipeline.picture.with_objects(boxes, edit.labels, edit.class_names)
    return UserPicture(picture, pipeline.config.scenes, is_drawn=True)


def classes_to_draw(pipeline: Pipeline) -> tuple[str, ...]:
    """Returns the classes of drawn objects: those of the picture if it has objects, else the network's."""
    return pipeline.picture.class_names if len(pipeline.objects[0]) else pipeline.class_names

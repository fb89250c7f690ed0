"""The other views of a picture in the pipeline, mirrored and resized: each a picture of its own with own settings."""

from dataclasses import replace
from functools import cached_property
from typing import Self

from core.retinanet.views import View, make_views, settings_of, show
from playground.data.picture import Picture
from playground.pipeline.effort import require_affordable
from playground.pipeline.outputs import QUICK_GFLOPS
from playground.pipeline.tiles import TileOutputs
from playground.support.cache import PostponedError


class ViewOutputs(TileOutputs):
    """A picture under settings, up to the outputs of the network for its tiles and in its other views.

    Raises as `TileOutputs`, and `PictureError` if the other views cost more than the page spends.
    """

    @property
    def views(self) -> tuple[View, ...]:
        """How the picture is seen; the first view is the plain one."""
        return make_views(self.config.inference)

    @cached_property
    def others(self) -> tuple[Self, ...]:
        """The picture in each of its other views."""
        if len(self.views) > 1:
            height, width = self.picture.sample.image.shape[1:]
            require_affordable(self.config, height, width, len(self.class_names))
        return tuple(
            type(self)(
                show_picture(self.picture, view), settings_of(view, self.config), postpone_slow=self.postpone_slow
            )
            for view in self.views[1:]
        )

    @property
    def gflops(self) -> float:
        """The operations of the network for the whole picture in all views, in billions."""
        return sum(each.costs.gflops for each in (self, *self.others))

    def require_quick_views(self) -> None:
        """Raises `PostponedError` if slow results are postponed and the network has not seen the other views yet."""
        if all(each.is_predicted for each in self.others) or self.gflops <= QUICK_GFLOPS or not self.must_postpone():
            return
        raise PostponedError(f"The network sees the other views once you release the knob: {self.gflops:.0f} GFLOP.")


def show_picture(picture: Picture, view: View) -> Picture:
    """Returns a picture as a view shows it, before it is resized; its objects are not used."""
    if not view.is_mirrored:
        return picture
    sample = picture.sample._replace(image=show(picture.sample.image, view))
    return replace(picture, sample=sample, pixels_key=f"{picture.pixels_key}/mirrored")

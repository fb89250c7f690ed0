"""The other views of a picture in the pipeline, mirrored and resized: each a picture of its own with own settings."""

from dataclasses import replace
from functools import cached_property
from typing import Self

from core.errors import PictureError
from core.io.text import count_noun
from core.retinanet.views import View, make_views, settings_of, show
from playground.data.picture import Picture
from playground.pipeline.effort import estimate_gflops, estimate_outputs, estimate_pixels
from playground.pipeline.outputs import QUICK_GFLOPS
from playground.pipeline.tiles import MAX_BYTES, MAX_GFLOPS, TileOutputs
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
            self._require_small_views()
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

    def _require_small_views(self) -> None:
        """Raises `PictureError` if the other views take too long or too much memory, by estimates before the work."""
        sides = [pixels for view in self.views[1:] for pixels in self._estimate_inputs(view)]
        gflops = sum(estimate_gflops(self.config, pixels) for pixels in sides)
        size = sum(estimate_outputs(self.config, pixels, len(self.class_names)) for pixels in sides)
        if gflops > MAX_GFLOPS or size > MAX_BYTES:
            tiles = f", each with {count_noun(len(self.tiles), 'tile')}," if self.tiles else ""
            raise PictureError(
                f"{count_noun(len(self.views) - 1, 'other view')}{tiles} would take about {gflops:,.0f} GFLOP and "
                f"{size / 1e6:,.0f} MB, and this page spends at most {MAX_GFLOPS:,} GFLOP and {MAX_BYTES / 1e6:,.0f} "
                f"MB: choose fewer or smaller “Test-time scales”, lower “Shorter side”, "
                f"{'raise “Tile size”, ' if self.tiles else ''}or use the command detect."
            )

    def _estimate_inputs(self, view: View) -> list[float]:
        """Returns the pixels of all inputs of the network in a view: of the whole picture, then of each tile."""
        settings = settings_of(view, self.config)
        whole = estimate_pixels(settings, *self.picture.sample.image.shape[1:])
        return [whole, *(estimate_pixels(settings, y2 - y1, x2 - x1) for x1, y1, x2, y2 in self.tiles)]


def show_picture(picture: Picture, view: View) -> Picture:
    """Returns a picture as a view shows it, before it is resized; its objects are not used."""
    if not view.is_mirrored:
        return picture
    sample = picture.sample._replace(image=show(picture.sample.image, view))
    return replace(picture, sample=sample, pixels_key=f"{picture.pixels_key}/mirrored")

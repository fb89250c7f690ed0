"""The first training samples of a run, as augmentation changes them."""

from collections.abc import Hashable

import numpy as np
from markupsafe import Markup

from core.config import Config, Scenes
from core.config.training import AUGMENTATION
from core.data.dataset import DataSet
from core.data.images import shrink
from core.data.sources import SHARED, SceneData
from core.errors import PictureError, UserError
from core.io.text import count_noun
from core.retinanet.boxes import rescale
from core.runs.splits import TRAINING_SCENES
from core.structures import Sample
from core.training.samples import Drawn, TrainingStream
from core.training.sampling import BLOCK
from playground.components import html
from playground.components.thumbnails import Thumbnail, thumbnails
from playground.data.image_ref import SCENES, ImageRef, training_split
from playground.data.sources import open_source, source_key
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache
from playground.support.wording import name_knobs

COUNT = 8
MAX_SIDE = 256  # px; of larger pictures a smaller copy is changed, which takes a fraction of the time and memory
MAX_SECONDS = 6  # on one processor, that the page spends on the samples of one visitor
QUICK_SECONDS = 0.5  # up to which they are drawn even while a knob is dragged
PHOTOGRAPH_SECONDS = 0.1  # to open and reduce one
MAX_PIXELS = 100e6  # of pictures that are opened for one answer, in some 4 s
TOO_LARGE = (
    "They are not all open yet, since the pictures are large: change a knob to go on, or choose neither mosaic nor "
    "copy-paste, which open more of them."
)
SPLIT = "train"
TITLE = "First training samples"
ABOUT = (
    "The first pictures that a run with these settings trains on, as the augmentation changes them, with their boxes."
)
REDUCED = f" Large pictures are reduced to {MAX_SIDE} px first, so that noise looks coarser here than in the run."
ORDER = ("seed", "sampler", "repeat_threshold")  # on which it depends which samples are the first
_pictures, _labels, _strips = Cache(), Cache(), Cache()


class _Reduced(DataSet):
    """A data set with pictures of at most `MAX_SIDE`, which are kept, as are the labels that the sampler reads.

    A picture cannot be used once those that had to be opened have more than `MAX_PIXELS`.

    Args:
        data: The data set.
        key: Changes with its pictures.
    """

    def __init__(self, data: DataSet, key: Hashable) -> None:
        self.class_names = data.class_names
        self.has_reduced = False
        self.opened = 0  # pixels
        self._data, self._key = data, key

    def image_name(self, index: int) -> str:
        """Returns the name of a picture."""
        return self._data.image_name(index)

    @property
    def class_shares(self) -> np.ndarray:
        """The share of images with each class, float64 [K]."""
        shares: np.ndarray = _labels.get((self._key, "shares"), lambda: self._data.class_shares)
        return shares

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels of an image's usable objects, int64 [M]."""
        labels: np.ndarray = _labels.get((self._key, index), lambda: self._data.labels_of(index))
        return labels

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Sample:
        sample, is_reduced = _pictures.get((self._key, index), lambda: _reduce(self._open(index)))
        self.has_reduced |= is_reduced
        return sample

    def _open(self, index: int) -> Sample:
        if self.opened > MAX_PIXELS:
            raise PictureError(TOO_LARGE)
        sample = self._data[index]
        self.opened += sample.image[0].numel()
        return sample


def _reduce(sample: Sample) -> tuple[Sample, bool]:
    """Returns a sample of at most `MAX_SIDE`, and whether it has been reduced."""
    image = shrink(sample.image, MAX_SIDE)
    if image is sample.image:
        return sample, False
    factors = (after / before for after, before in zip(image.shape[:0:-1], sample.image.shape[:0:-1], strict=True))
    return sample._replace(image=image, boxes=rescale(sample.boxes, *factors)), True


def build_strip(pipeline: Pipeline) -> Markup:
    """Returns the first samples of a run on the data that is on show, or why there are none."""
    config, visitor = pipeline.config, pipeline.visitor
    own, of_scenes = training_split(pipeline.image_ref), ImageRef(SCENES, SPLIT)
    try:
        key = source_key(own or of_scenes, config.scenes, visitor)
        data = open_source(own, config.scenes, visitor) if own else SceneData(config.scenes, TRAINING_SCENES, SPLIT)
    except UserError as error:
        return html.heading(TITLE) + html.paragraph(name_knobs(error))
    settings = tuple(getattr(config.training, name) for name in (*ORDER, *AUGMENTATION))
    strip_key = key, settings, config.inference
    if strip_key not in _strips and (
        delay := _explain_delay(pipeline, estimate_seconds(config, is_own=own is not None))
    ):
        return html.heading(TITLE) + html.paragraph(delay)
    reduced = _Reduced(data, key)

    def build() -> Markup:
        stream = TrainingStream(reduced, config)
        drawn = [stream[position] for position in range(COUNT)]
        if any(str(error) == TOO_LARGE for each in drawn for _, error in each.errors):
            raise PictureError(TOO_LARGE)
        return _show(drawn, reduced)

    try:
        strip: Markup = _strips.get(strip_key, build)
    except PictureError as error:
        return html.heading(TITLE) + html.paragraph(str(error))
    return strip


def estimate_seconds(config: Config, *, is_own: bool) -> float:
    """Returns how long the first samples take, within a factor of three.

    Args:
        config: The settings.
        is_own: True for pictures of a data set or an album, False for scenes.
    """
    training, scenes = config.training, config.scenes
    opened = COUNT * (1 + 3 * (training.mosaic_probability > 0) + (training.copy_paste_probability > 0))
    if is_own:
        return opened * PHOTOGRAPH_SECONDS
    laid_out = SHARED + BLOCK if training.sampler == "repeat_factor" else 0  # scenes whose objects the sampler counts
    return laid_out * _estimate_layout(scenes) + opened * (_estimate_layout(scenes) + 7.5e-8 * scenes.image_size**2)


def _estimate_layout(scenes: Scenes) -> float:
    """Returns the seconds that the layout of a scene takes, as measured with 7 to 100 objects on 64 to 1024 px."""
    objects = (scenes.min_objects + scenes.max_objects) / 2
    return 5e-6 * objects**2 + 2.3e-9 * objects * scenes.image_size**2


def _explain_delay(pipeline: Pipeline, seconds: float) -> str:
    """Returns why samples that take so long are not drawn, or not now; "" if they are."""
    if seconds > MAX_SECONDS:
        return (
            f"To find them takes about {seconds:,.0f} s, and this page spends at most {MAX_SECONDS} s: choose smaller "
            "scenes or fewer objects in the Picture step, the sampler uniform, or neither mosaic nor copy-paste."
        )
    if seconds > QUICK_SECONDS and pipeline.must_postpone():
        return "They follow once you release the knob."
    return ""


def _show(drawn: list[Drawn], data: _Reduced) -> Markup:
    samples = [each.sample for each in drawn if each.sample]
    damaged = {index for each in drawn for index, _ in each.errors}
    pictures = [
        Thumbnail(f"sample {number}: {count_noun(len(sample.boxes), 'object')}", sample.image, sample.boxes)
        for number, sample in enumerate(samples, start=1)
    ]
    about = ABOUT + (REDUCED if data.has_reduced else "")
    if damaged:
        about += f" {count_noun(len(damaged), 'picture')} could not be read."
    return html.heading(TITLE) + thumbnails(TITLE, pictures) + Markup('<p class="hint">{}</p>').format(about)

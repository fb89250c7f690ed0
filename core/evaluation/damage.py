"""Pictures that turn out to be damaged when they are used: they are left out and counted."""

from collections.abc import Iterable

from core.config import Inference
from core.data.dataset import DataSet
from core.data.left_out import MAX_EXAMPLES, OTHER_SIZE, UNREADABLE, LeftOut
from core.data.untrusted import DataError
from core.errors import PictureError, UserError
from core.retinanet.preprocess import require_usable_sides
from core.retinanet.tiles import make_tiles
from core.structures import Sample


class DamagedPictures:
    """The pictures of a data set that cannot be used, by index, with the reasons.

    Args:
        total: Number of pictures, of which at most half may be left out.
        strict: Whether the first such picture is an error.
    """

    def __init__(self, total: int, *, strict: bool = False) -> None:
        self.errors: dict[int, UserError] = {}
        self._total, self._strict = total, strict

    def add(self, index: int, error: UserError) -> None:
        """Adds a picture.

        Raises:
            UserError: The given error, if the first such picture is one.
            DataError: More than half of the pictures cannot be used.
        """
        if self._strict:
            raise error
        error.__traceback__ = error.__context__ = None  # their frames would keep the content of files in memory
        self.errors.setdefault(index, error)
        if 2 * len(self.errors) > self._total:
            raise self.too_many(f"{len(self.errors):,} of {self._total:,} pictures")

    def too_many(self, which: str) -> DataError:
        """Returns the error for too many pictures that cannot be used, described by their number."""
        return DataError(
            f"{which} cannot be used: correct them, the command check lists them. The first one: "
            f"{next(iter(self.errors.values()))}"
        )


def add_damaged(left_out: LeftOut, errors: Iterable[UserError]) -> LeftOut:
    """Returns what was left out of a data set with pictures that turned out to be damaged; repeated ones count once."""
    return _add(left_out, ((OTHER_SIZE if isinstance(each, DataError) else UNREADABLE, str(each)) for each in errors))


def keep_damaged(left_out: LeftOut, before: LeftOut) -> LeftOut:
    """Returns what was left out of a data set with the damaged pictures that an earlier use of it has met."""
    return _add(left_out, ((kind, each) for kind in (UNREADABLE, OTHER_SIZE) for each in before.examples.get(kind, ())))


def _add(left_out: LeftOut, found: Iterable[tuple[str, str]]) -> LeftOut:
    counts, examples = dict(left_out.counts), dict(left_out.examples)
    for kind, message in found:
        known = examples.get(kind, ())
        if message not in known:
            counts[kind] = counts.get(kind, 0) + 1
            examples[kind] = (*known, message)[:MAX_EXAMPLES]
    return LeftOut(counts, examples)


def read_usable(data: DataSet, index: int, inference: Inference) -> Sample | UserError:
    """Returns an image of a data set with its objects, or the reason why it cannot be used.

    It may be damaged, differ in size from what its annotations say, be too elongated for the network, or have too many
    tiles.
    """
    try:
        sample = data[index]
        require_usable(sample, data.image_name(index), inference)
    except UserError as error:
        return error
    return sample


def find_usable(data: DataSet, inference: Inference) -> Sample:
    """Returns the first image of a data set that can be used; raises `DataError` if too many cannot."""
    damaged = DamagedPictures(len(data))
    for index in range(len(data)):
        sample = read_usable(data, index, inference)
        if isinstance(sample, Sample):
            return sample
        damaged.add(index, sample)
    raise damaged.too_many("All pictures")


def require_usable(sample: Sample, name: str, inference: Inference) -> None:
    """Raises `PictureError` if the network cannot process an image, which the message names."""
    try:
        height, width = sample.image.shape[1:]
        for scale in inference.test_time_scales:
            require_usable_sides(height, width, max(1, round(scale * inference.max_image_size)))
        make_tiles(height, width, inference)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from None

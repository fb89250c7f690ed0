"""The data of a run: opened, with the classes of its splits matched, and what seems doubtful about it."""

from collections.abc import Sequence
from typing import NamedTuple

from core.config import Config
from core.data.class_names import DIFFER_LITTLE, find_alike
from core.data.dataset import DataSet, FolderData
from core.data.sources import open_data
from core.data.untrusted import DataError
from core.evaluation.class_names import match_classes, relabel
from core.io.text import join_names
from core.runs.about import About
from core.training.rare_classes import describe_rare_classes

TRAINING_SCENES = 100_000  # rendered scenes in an epoch


class Splits(NamedTuple):
    """The training and validation data of a run."""

    train: DataSet
    validation: DataSet


class OpenedData(NamedTuple):
    """The data of a run.

    Attributes:
        splits: Training and validation.
        reading: How it was read, what seems doubtful about it and what rare classes get, as sentences for people.
        digest: Changes with the training pictures, see `FolderData.digest`; "" for rendered scenes.
    """

    splits: Splits
    reading: str
    digest: str = ""


def open_splits(config: Config, about: About) -> OpenedData:
    """Opens the data of a run; the validation pictures get the labels of the training pictures.

    Raises:
        DataError: The data cannot be used, no training picture has an object, or the validation pictures have a class
            that the training pictures lack.
    """
    train, validation = (
        open_data(about.source, split, config.scenes, length, format=about.format or None, strict=about.strict)
        for split, length in (("train", TRAINING_SCENES), ("val", config.training.eval_images))
    )
    _require_objects(train, about.source)
    rare = describe_rare_classes(train, config)
    reading = " ".join((train.reading, *_describe_doubts(train, validation), *rare)).strip()
    remedy = "name the classes of all splits alike"
    match_classes(train.class_names, validation.class_names, lacking="The training pictures lack", remedy=remedy)
    digest = train.digest if isinstance(train, FolderData) else ""
    return OpenedData(Splits(train, relabel(validation, train.class_names)), reading, digest)


def _require_objects(train: DataSet, source: str) -> None:
    if isinstance(train, FolderData) and not _find_used(train):
        raise DataError(
            f"No training picture of {source} has an object, so that there is nothing to learn: annotate some of them, "
            "or create splits (split --by stratified)."
        )


def order_classes(splits: Splits, class_names: Sequence[str]) -> Splits:
    """Returns the data with labels in the order of a network's classes if it has the same classes."""
    if sorted(class_names) != sorted(splits.train.class_names):
        return splits
    return Splits(*(relabel(each, class_names) for each in splits))


def _describe_doubts(train: DataSet, validation: DataSet) -> list[str]:
    """Returns sentences on classes that cannot be learnt, or that are probably the same."""
    sentences = []
    if isinstance(train, FolderData) and isinstance(validation, FolderData):
        learnt = _find_used(train)
        unlearnt = sorted(_find_used(validation) - learnt)
        if unlearnt:
            sentences.append(
                f"No training picture has an object of these classes of validation: {join_names(unlearnt)}."
            )
    alike = [f"{one!r} and {other!r}" for one, other in find_alike(train.class_names)]
    if alike:
        sentences.append(f"Classes that {DIFFER_LITTLE}: {join_names(alike)}.")
    return sentences


def _find_used(data: FolderData) -> set[str]:
    """Returns the names of the classes with objects that can be used, without crowd regions."""
    return {name for name, count in zip(data.class_names, data.class_counts, strict=True) if count}

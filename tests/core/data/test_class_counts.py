"""How many objects and images of each class a data set has, without opening an image."""

from pathlib import Path

import numpy as np
import pytest

from core.config import Scenes
from core.data.dataset import FolderData
from core.data.raw import RawData, RawImage
from core.data.sources import SceneData
from core.evaluation.class_names import relabel


def annotate(labels: list[int], boxes: list | None = None, crowd: list[bool] | None = None) -> RawImage:
    made = np.array(boxes if boxes is not None else [[1, 1, 9, 9]] * len(labels), dtype=np.float64).reshape(-1, 4)
    marked = np.array(crowd if crowd is not None else [False] * len(labels), dtype=bool)
    return RawImage(Path("nowhere.png"), Path("all.json"), (20, 20), 1, made, np.array(labels, dtype=np.int64), marked)


IMAGES = [
    annotate([0, 0, 2]),
    annotate([]),
    annotate([0, 1, 2], boxes=[[1, 1, 9, 9], [5, 5, 5, 9], [30, 30, 40, 40]]),  # the others are empty and outside
    annotate([2, 0], crowd=[False, True]),
]
FOLDER = FolderData(RawData(("cat", "dog", "owl"), (1, 2, 3), IMAGES))


def test_a_folder_counts_what_can_be_used():
    assert [FOLDER.labels_of(index).tolist() for index in range(4)] == [[0, 0, 2], [], [0], [2]]
    assert FOLDER.class_counts.tolist() == [3, 0, 2]
    assert FOLDER.class_shares.tolist() == [0.5, 0, 0.5]
    empty = FolderData(RawData(("cat",), (1,), []))
    assert empty.class_counts.tolist() == empty.class_shares.tolist() == [0]


def test_other_labels_count_the_same_objects():
    other = relabel(FOLDER, ("owl", "bee", "dog", "cat"))
    assert other.class_counts.tolist() == [2, 0, 0, 3] and other.class_shares.tolist() == [0.5, 0, 0, 0.5]
    assert other.labels_of(0).tolist() == [3, 3, 0]


@pytest.mark.slow
@pytest.mark.parametrize("imbalance", [0, 1])
def test_scenes_are_counted_as_expected(imbalance):
    """The expected number, against that of 300 scenes; a few objects find no room."""
    data = SceneData(Scenes(imbalance=imbalance, empty_share=0.25, max_size=0.2), 300, "train")
    counts = np.bincount(np.concatenate([data.labels_of(index) for index in range(300)]), minlength=6)
    expected = data.class_counts
    assert expected.sum() == pytest.approx(300 * 0.75 * 6.5)
    assert counts.sum() == pytest.approx(expected.sum(), rel=0.06)
    assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected) + 0.06 * expected)
    if imbalance:
        assert expected[0] / expected[5] == pytest.approx(100)
    else:
        assert np.allclose(expected, expected[0])


@pytest.mark.slow
def test_the_labels_of_a_scene_are_those_that_are_rendered():
    data = SceneData(Scenes(image_size=96, max_objects=20, overlap=0.8), 20, "val")
    for index in range(5):
        assert data.labels_of(index).tolist() == data[index].labels.tolist()
    shares = np.mean([[label in data.labels_of(index) for label in range(6)] for index in range(20)], axis=0)
    assert np.allclose(data.class_shares, shares) and data.class_shares is data.class_shares  # laid out once

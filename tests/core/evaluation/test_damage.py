from functools import cache

import pytest
import torch

from core.config import Config
from core.data.dataset import DataSet
from core.data.left_out import MISSING, OTHER_SIZE, UNREADABLE, LeftOut
from core.data.untrusted import DataError
from core.errors import PictureError
from core.evaluation.damage import DamagedPictures, add_damaged, find_usable, keep_damaged, read_usable
from core.evaluation.dataset_predictions import count_images, evaluate_dataset, predict_dataset
from core.retinanet.model import build_model
from core.structures import Sample

pytestmark = pytest.mark.slow

CONFIG = Config.from_flat(
    {
        "model.fpn_channels": 32,
        "model.num_convs": 0,
        "inference.image_size": 64,
        "inference.score_threshold": 0.0,
        "inference.topk_candidates": 100,
    }
)


class Damaged(DataSet):
    """Pictures of which some are damaged, of another size, or too elongated."""

    class_names = ("cat", "dog")

    def __init__(self, count: int, damaged: tuple[int, ...] = (), other_size: tuple[int, ...] = ()) -> None:
        self.count, self.damaged, self.other_size = count, damaged, other_size

    def image_name(self, index: int) -> str:
        return f"{index}.png"

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if index in self.damaged:
            raise PictureError(f"The picture {index}.png cannot be decoded.")
        if index in self.other_size:
            raise DataError(f"{index}.png has 5×5 pixels.")
        box, no = torch.tensor([[4.0, 4, 40, 40]]), torch.zeros(1, dtype=torch.bool)
        return Sample(torch.zeros(3, 64, 64, dtype=torch.uint8), box, torch.tensor([index % 2]), no, index + 10)


@cache
def network():
    torch.manual_seed(0)
    return build_model(CONFIG.model, num_classes=2, anchors_per_location=CONFIG.anchors.per_location).eval()


def test_half_may_be_damaged_but_not_more():
    damaged = DamagedPictures(4)
    for index in (0, 2, 2):
        damaged.add(index, PictureError(f"{index}.png is cut."))
    assert list(damaged.errors) == [0, 2]
    with pytest.raises(DataError, match=r"^3 of 4 pictures cannot be used: .* The first one: 0\.png is cut\.$"):
        damaged.add(3, PictureError("3.png is cut."))


def test_strict_refuses_the_first():
    with pytest.raises(PictureError, match=r"7\.png is cut"):
        DamagedPictures(1000, strict=True).add(7, PictureError("7.png is cut."))


def test_damage_is_added_to_what_was_left_out_once():
    before = LeftOut({MISSING: 2, UNREADABLE: 1}, {MISSING: ("a", "b"), UNREADABLE: ("old",)})
    after = add_damaged(before, [PictureError("new"), PictureError("old"), DataError("size")])
    assert after.counts == {MISSING: 2, UNREADABLE: 2, OTHER_SIZE: 1}
    assert after.examples[UNREADABLE] == ("old", "new") and after.examples[OTHER_SIZE] == ("size",)
    assert add_damaged(after, [PictureError("new")]) == after
    assert keep_damaged(LeftOut(), after).counts == {UNREADABLE: 2, OTHER_SIZE: 1}  # missing ones are read again


def test_too_elongated_pictures_cannot_be_used_and_are_named():
    data = Damaged(1)
    config = CONFIG.replace({"inference.max_image_size": 64}).inference
    assert isinstance(read_usable(data, 0, config), Sample)
    wide = data[0]._replace(image=torch.zeros(3, 1, 5000, dtype=torch.uint8))
    data.__class__ = type("Wide", (Damaged,), {"__getitem__": lambda self, index: wide})
    error = read_usable(data, 0, config)
    assert isinstance(error, PictureError) and str(error).startswith("0.png: An image of 5000×1 px is too elongated")


def test_the_first_usable_picture():
    assert find_usable(Damaged(5, (0,), (1,)), CONFIG.inference).image_id == 12
    with pytest.raises(DataError, match="2 of 3 pictures cannot be used"):
        find_usable(Damaged(3, (0, 1, 2)), CONFIG.inference)


def test_zero_images_means_all():
    assert [count_images(Damaged(7), CONFIG.replace({"training.eval_images": each})) for each in (0, 3, 9)] == [7, 3, 7]


@pytest.mark.parametrize("damaged", [(), (1,), (0, 1, 2, 3), (4, 6, 7)])
def test_an_evaluation_leaves_damaged_pictures_out_and_keeps_the_order(damaged):
    config, model, found = CONFIG.replace({"training.eval_images": 0}), network(), DamagedPictures(8)
    batches = predict_dataset(model, ("cat", "dog"), Damaged(8, damaged), config, found)
    results = [each for batch in batches for each in batch]
    assert [bool(each.problem) for each in results] == [index in damaged for index in range(8)]
    assert [len(each.truth.labels) for each in results] == [int(index not in damaged) for index in range(8)]
    assert tuple(found.errors) == damaged
    *_, metrics = evaluate_dataset(model, ("cat", "dog"), Damaged(8, damaged), config)

    class Rest(Damaged):
        def __getitem__(self, index: int) -> Sample:
            return super().__getitem__([each for each in range(8) if each not in damaged][index])

    *_, expected = evaluate_dataset(model, ("cat", "dog"), Rest(8 - len(damaged)), config)
    assert str(metrics) == str(expected)


def test_more_than_half_damaged_ends_an_evaluation():
    with pytest.raises(DataError, match="5 of 8 pictures cannot be used"):
        list(predict_dataset(network(), ("cat", "dog"), Damaged(8, tuple(range(5))), CONFIG))


def test_detections_get_the_data_sets_labels_by_name():
    model, data = network(), Damaged(2)
    config = CONFIG.replace({"inference.class_agnostic_nms": True})
    (own,) = predict_dataset(model, ("cat", "dog"), data, config)
    (swapped,) = predict_dataset(model, ("dog", "cat"), data, config)
    for one, other in zip(own, swapped, strict=True):
        assert torch.equal(one.detections.boxes, other.detections.boxes)
        assert torch.equal(one.detections.labels, 1 - other.detections.labels)
    with pytest.raises(DataError, match="do not know the class dog"):
        list(predict_dataset(model, ("cat", "cow"), data, config))


def test_detections_of_classes_that_the_data_lacks_are_dropped():
    class Dogs(Damaged):
        class_names = ("dog",)

        def __getitem__(self, index: int) -> Sample:
            return super().__getitem__(index)._replace(labels=torch.zeros(1, dtype=torch.int64))

    model = network()
    (whole,), (dogs,) = (predict_dataset(model, ("cat", "dog"), each, CONFIG) for each in (Damaged(1), Dogs(1)))
    kept = whole[0].detections.labels == 1
    assert 0 < kept.sum() < len(kept)
    assert torch.equal(dogs[0].detections.scores, whole[0].detections.scores[kept])
    assert set(dogs[0].detections.labels.tolist()) == {0}


def test_no_frames_are_kept():
    damaged = DamagedPictures(10)
    try:
        try:
            raise OSError("cut")
        except OSError as error:
            raise PictureError("a.png is cut.") from error
    except PictureError as error:
        damaged.add(0, error)
    assert damaged.errors[0].__traceback__ is None and damaged.errors[0].__context__ is None

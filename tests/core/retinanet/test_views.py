"""What is seen mirrored and in other sizes is mapped back exactly, and merged by NMS."""

import pytest
import torch

from core.config import Config, ConfigError, Inference
from core.errors import PictureError
from core.evaluation.damage import require_usable
from core.retinanet.boxes import mirror
from core.retinanet.postprocess import apply_nms
from core.retinanet.predict import detect, extract_detections, predict
from core.retinanet.views import PLAIN, Frame, View, join_views, make_views, map_back, settings_of, show
from core.structures import Detections, Sample
from tests.core.retinanet.test_postprocess import A2, A, B, candidates
from tests.core.retinanet.test_predict import CONFIG, model, pictures, same  # noqa: F401 (model is a fixture)

pytestmark = pytest.mark.slow

FLIP, SCALES = {"inference.test_time_flip": True}, {"inference.test_time_scales": (2.0, 1.0)}
ALL = {"inference.nms_threshold": 1, "inference.max_detections": 1000, "inference.topk_candidates": 10}
TILES = {"inference.tile_size": 64}


def test_the_plain_view_is_the_first_and_by_default_the_only_one():
    assert make_views(Inference()) == (PLAIN,)
    inference = Inference(test_time_flip=True, test_time_scales=(0.5, 1, 2))
    expected = [(1, False), (0.5, False), (2, False), (1, True), (0.5, True), (2, True)]
    assert [tuple(view) for view in make_views(inference)] == expected and inference.num_views == 6


@pytest.mark.parametrize("scales", ["0.5", "0.5, 2", "1, 1", "1, 2, 2"])
def test_the_plain_size_is_among_the_scales_and_each_once(scales):
    with pytest.raises(ConfigError, match=r"test_time_scales = .* is not allowed: 1 must be among them, and each"):
        Config.from_flat({"inference.test_time_scales": scales})


def test_a_view_has_settings_of_its_own():
    config = Config.from_flat({**FLIP, **SCALES, "inference.image_size": 64, "inference.max_image_size": 101})
    own = settings_of(View(1.5, True), config).inference
    assert (own.image_size, own.max_image_size, own.num_views) == (96, 152, 1)
    assert settings_of(PLAIN, Config()) == Config()


def test_boxes_are_mapped_back_by_hand():
    assert mirror(torch.tensor([1.0, 2, 3, 4]), 10).tolist() == [7, 2, 9, 4]
    own, plain = Frame(torch.full((4,), 2.0), 100), Frame(torch.tensor([4.0, 5, 4, 5]), 100)
    box = torch.tensor([[10.0, 10, 20, 30]])  # 20, 20, 40, 60 in the original picture; mirrored 60, 20, 80, 60
    assert map_back(box, View(2, False), own, plain).tolist() == [[5, 4, 10, 12]]
    assert map_back(box, View(2, True), own, plain).tolist() == [[15, 4, 20, 12]]


def test_an_image_mirrored_twice_is_the_image():
    (image,) = pictures((5, 7))
    view = View(1, True)
    assert torch.equal(show(show(image, view), view), image) and not torch.equal(show(image, view), image)
    assert show(image, PLAIN) is image


def test_by_default_nothing_changes_to_the_bit(model):  # noqa: F811
    images = pictures((60, 80), (64, 90))
    expected = extract_detections(predict(model, images, CONFIG), CONFIG)
    for mine, other in zip(detect(model, images, CONFIG), expected, strict=True):
        assert all(torch.equal(first, second) for first, second in zip(mine, other, strict=True))


def turn(found: Detections, width: int) -> Detections:
    return found._replace(boxes=mirror(found.boxes, width))


def unite(*found: Detections) -> Detections:
    """Returns all detections, best first."""
    together = Detections(*(torch.cat(each) for each in zip(*found, strict=True)))
    order = together.scores.argsort(descending=True, stable=True)
    return Detections(*(each[order] for each in together))


@pytest.mark.parametrize("tiles", [{}, TILES])
def test_without_suppression_all_that_each_view_finds_is_found(model, tiles):  # noqa: F811
    (image,) = pictures((70, 100))
    config = CONFIG.replace({**ALL, **tiles})
    plain, mirrored = (detect(model, [each], config)[0] for each in (image, image.flip(-1)))
    large = detect(model, [image], config.replace({"inference.image_size": 128, "inference.max_image_size": 2666}))[0]
    same(detect(model, [image], config.replace(FLIP)), [unite(plain, turn(mirrored, 100))])
    same(detect(model, [image], config.replace(SCALES)), [unite(plain, large)])


@pytest.mark.parametrize("kind", ["hard", "soft", "diou", "wbf"])
def test_a_mirrored_picture_has_mirrored_detections(model, kind):  # noqa: F811
    """Without mirrored views, this holds for no network that is not symmetric itself."""
    (image,) = pictures((60, 84))
    config = CONFIG.replace({"inference.nms_kind": kind, **FLIP})
    same([turn(detect(model, [image.flip(-1)], config)[0], 84)], detect(model, [image], config))
    alone = config.replace({"inference.test_time_flip": False})
    scores = [detect(model, [each], alone)[0].scores.tolist() for each in (image, image.flip(-1))]
    assert scores[0] != pytest.approx(scores[1], abs=1e-3)


def test_images_of_several_shapes_in_one_call_keep_their_order(model):  # noqa: F811
    images, config = pictures((60, 60), (100, 150), (64, 64)), CONFIG.replace({**FLIP, **SCALES, **TILES})
    same(detect(model, images, config), [detect(model, [image], config)[0] for image in images])


def test_the_network_runs_once_for_each_view_and_padded_shape(model):  # noqa: F811
    shapes = []
    handle = model.register_forward_pre_hook(lambda _, inputs: shapes.append(tuple(inputs[0].shape)))
    detect(model, pictures((64, 64), (64, 64)), CONFIG.replace({**FLIP, **SCALES}))
    handle.remove()
    assert shapes == [(2, 3, 64, 64), (2, 3, 128, 128)] * 2


def test_fused_scores_of_few_views_count_less():
    """Of four views, there are two boxes of A and one of B."""
    seen = Inference(nms_kind="wbf", test_time_flip=True, test_time_scales=(1, 2))
    found = join_views([candidates([A, A2], [0.75, 0.25]), candidates([B], [0.8])])
    fates = apply_nms(found, seen)
    assert fates.score[fates.order].tolist() == pytest.approx([0.5 * 2 / 4, 0.8 / 4])
    alone = apply_nms(found._replace(view=None), seen)  # of one view, as the command explain has them
    assert alone.score[alone.order].tolist() == pytest.approx([0.8, 0.5])


def test_candidates_know_their_view():
    these = candidates([A, B], [0.9, 0.8])
    assert join_views([these]) is these and these.view is None
    joined = join_views([these, candidates([A2], [0.7])])
    assert joined.view is not None and joined.view.tolist() == [0, 0, 1] and joined.tile is None
    assert joined.box.tolist() == [A, B, A2]


def test_a_picture_too_elongated_for_one_view_cannot_be_used():
    none = torch.zeros(0, dtype=torch.int64)
    sample = Sample(torch.zeros(3, 1, 1000, dtype=torch.uint8), torch.zeros(0, 4), none, none.bool(), 0)
    require_usable(sample, "line.png", Inference())
    with pytest.raises(PictureError, match=r"line\.png: .* too elongated: with its longer side at most 333 px"):
        require_usable(sample, "line.png", Inference(test_time_scales=(0.25, 1)))

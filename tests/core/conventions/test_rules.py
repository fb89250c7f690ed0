"""Each framework's arithmetic: literals computed by hand, torchvision itself, and plain references."""

from types import SimpleNamespace

import pytest
import torch
from torchvision.models.detection import _utils as utils
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNet as TorchvisionRetinaNet
from torchvision.ops import box_iou

from core.config import Config, Matching
from core.conventions.comparison import apply
from core.conventions.matching import assign
from core.conventions.rules import HERE, Rules
from core.conventions.table import CONVENTIONS
from core.conventions.view import Subject, detect, order_anchors, predict_levels, see
from core.retinanet.anchors import make_anchors
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, IGNORED
from core.retinanet.boxes import MAX_LOG_SIZE, encode
from core.retinanet.model import Outputs, build_model
from core.retinanet.predict import Prediction, predict
from core.retinanet.preprocess import Batch

SIZE = 64
PRACTICES = {
    name: [each.practices[name] for each in CONVENTIONS] for name in ("torchvision", "detectron2", "mmdetection")
}
# Half widths and half heights of the anchors of 16 px, of the three scales, by hand.
EXACT = {
    (16, 0.5): (11.3137, 5.6569), (16, 1): (8, 8), (16, 2): (5.6569, 11.3137),
    (20, 0.5): (14.2544, 7.1272), (20, 1): (10.0794, 10.0794), (20, 2): (7.1272, 14.2544),
    (25, 0.5): (17.9594, 8.9797), (25, 1): (12.6992, 12.6992), (25, 2): (8.9797, 17.9594),
}  # fmt: skip
ROUNDED = {
    (16, 0.5): (11, 6), (16, 1): (8, 8), (16, 2): (6, 11),
    (20, 0.5): (14, 7), (20, 1): (10, 10), (20, 2): (7, 14),
    (25, 0.5): (18, 9), (25, 1): (12, 12), (25, 2): (9, 18),
}  # fmt: skip
BY_RATIO = [(size, ratio) for ratio in (0.5, 1, 2) for size in (16, 20, 25)]
BY_SIZE = [(size, ratio) for size in (16, 20, 25) for ratio in (0.5, 1, 2)]


def grid_of(framework: str, height: int = SIZE, width: int = SIZE):
    config, rules = apply(Config(), PRACTICES[framework])
    return order_anchors(make_anchors(config.anchors, height, width), config, rules)


@pytest.mark.parametrize(
    ("framework", "halves", "order"),
    [("torchvision", ROUNDED, BY_RATIO), ("detectron2", EXACT, BY_SIZE), ("mmdetection", EXACT, BY_RATIO)],
)
def test_the_anchors_of_the_first_and_the_second_location(framework, halves, order):
    boxes = grid_of(framework).boxes
    cell = torch.tensor([(-x, -y, x, y) for x, y in (halves[each] for each in order)])
    torch.testing.assert_close(boxes[:9], cell.float(), atol=1e-4, rtol=0)
    torch.testing.assert_close(boxes[9:18], cell + torch.tensor([8.0, 0, 8, 0]), atol=1e-4, rtol=0)


def test_the_last_stride_follows_the_grid_in_torchvision_alone():
    """160 px: P7 has two locations; torchvision divides 160 // 2 = 80, the others keep 128."""
    second = {name: grid_of(name, 160, 160).boxes[-27:-18] for name in PRACTICES}  # row 0, column 1 of four
    centres = {name: ((box[:, 0] + box[:, 2]) / 2).tolist() for name, box in second.items()}
    assert centres["torchvision"] == [80.0] * 9
    for framework in ("detectron2", "mmdetection"):
        assert centres[framework] == pytest.approx([128.0] * 9, abs=1e-4)


@pytest.mark.parametrize(("height", "width"), [(256, 256), (160, 224), (96, 320)])
def test_torchvisions_anchors_are_its_own(height, width):
    sizes = tuple(tuple(int(size * scale) for scale in Config().anchors.scales) for size in Config().anchors.sizes)
    generator = AnchorGenerator(sizes, (Config().anchors.ratios,) * 5)
    grid = grid_of("torchvision", height, width)
    maps = [torch.zeros(1, 1, *each) for each in grid.grids]
    [theirs] = generator(ImageList(torch.zeros(1, 3, height, width), [(height, width)]), maps)
    assert torch.equal(grid.boxes, theirs)


def test_a_forced_anchor_belongs_to_the_object_it_overlaps_most_or_to_the_last_that_forces_it():
    """The first anchor is the best of both objects, with an IoU of 0.9 and 0.6."""
    anchors = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    objects = torch.tensor([[0.0, 0, 10, 9], [0, 0, 10, 6]])
    owners = {way: assign(anchors, objects, Matching(), Rules(forcing=way)) for way in ("touching", "any", "object")}
    assert [int(each.object[0]) for each in owners.values()] == [0, 0, 1]
    assert owners["object"].iou[0].item() == pytest.approx(0.6)
    assert not any(each.forced.any() for each in owners.values())  # it reaches the threshold


def test_an_object_that_no_anchor_touches_forces_all_of_them_but_here():
    anchors, objects = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]]), torch.tensor([[100.0, 100, 110, 110]])
    labels = {
        way: assign(anchors, objects, Matching(), Rules(forcing=way)).label for way in ("touching", "any", "object")
    }
    assert [each.tolist() for each in labels.values()] == [[BACKGROUND] * 2, [FOREGROUND] * 2, [FOREGROUND] * 2]


def make_boxes(count: int, seed: int) -> torch.Tensor:
    dice = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=dice) * 40
    return torch.cat([corner, corner + 4 + torch.rand(count, 2, generator=dice) * 20], dim=1)


@pytest.mark.parametrize("seed", range(5))
def test_any_is_torchvisions_matcher(seed):
    anchors = make_boxes(300, seed)
    objects = torch.cat([make_boxes(6, 100 + seed), torch.tensor([[500.0, 500, 520, 520]])])  # the last is untouched
    theirs = utils.Matcher(0.5, 0.4, allow_low_quality_matches=True)(box_iou(objects, anchors))
    match = assign(anchors, objects, Matching(), Rules(forcing="any"))
    label = {utils.Matcher.BELOW_LOW_THRESHOLD: BACKGROUND, utils.Matcher.BETWEEN_THRESHOLDS: IGNORED}
    assert match.label.tolist() == [label.get(each, FOREGROUND) for each in theirs.tolist()]
    assert torch.equal(match.object[match.foreground], theirs[theirs >= 0])


@pytest.mark.parametrize("seed", range(5))
def test_object_is_what_mmdetection_describes(seed):
    """Step by step as its docstring says: ignored, background, above the threshold, then each object's best in turn."""
    anchors, objects = make_boxes(300, seed), make_boxes(6, 100 + seed)
    overlap = box_iou(objects, anchors).tolist()
    owner = []
    for column in zip(*overlap, strict=True):
        best = max(column)
        owner.append(column.index(best) if best >= 0.5 else -1 if best < 0.4 else -2)
    for number, row in enumerate(overlap):
        for anchor, iou in enumerate(row):
            owner[anchor] = number if iou == max(row) else owner[anchor]
    match = assign(anchors, objects, Matching(), Rules(forcing="object"))
    found = torch.where(match.foreground, match.object, torch.where(match.label == IGNORED, -2, -1))
    assert found.tolist() == owner


def make_subject(logits: torch.Tensor, deltas: torch.Tensor) -> Subject:
    grids = make_anchors(Config().anchors, SIZE, SIZE).grids
    batch = Batch(torch.zeros(1, 3, SIZE, SIZE), ((SIZE, SIZE),), ((SIZE, SIZE),))
    prediction = Prediction(batch, Outputs(logits[None], deltas[None], grids))
    return Subject(None, prediction, torch.zeros(1, 1, 1, 1), torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))


def predict_boxes(*boxes: tuple[float, float, float, float]) -> tuple[Subject, object]:
    """Outputs of which the first anchors predict these boxes, with falling scores, and no other anything."""
    grid = make_anchors(Config().anchors, SIZE, SIZE)
    logits, deltas = torch.full((len(grid.boxes), 2), -10.0), torch.zeros(len(grid.boxes), 4)
    for number, box in enumerate(boxes):
        logits[number, 0] = 2 - number
        deltas[number] = encode(torch.tensor([box]), grid.boxes[number : number + 1])[0]
    return make_subject(logits, deltas), grid


def detect_by(rules: Rules, *boxes: tuple[float, float, float, float]) -> list[list[float]]:
    subject, grid = predict_boxes(*boxes)
    outputs = predict_levels(subject, grid, rules)
    found = detect(subject, outputs, grid, Config(), rules).boxes
    return found.round(decimals=2).tolist()


def test_boxes_that_differ_outside_of_the_picture_survive_nms_where_it_sees_them_whole():
    """Inside they are the same box; whole, their IoU is 400/1200."""
    pair = (0, 0, 20, 20), (-40, 0, 20, 20)
    assert detect_by(HERE, *pair) == [[0, 0, 20, 20]]
    assert detect_by(Rules(clipping="before, without empty"), *pair) == [[0, 0, 20, 20]]
    assert detect_by(Rules(clipping="after, without empty"), *pair) == [[0, 0, 20, 20]] * 2


def test_boxes_outside_of_the_picture_are_dropped_but_in_torchvision():
    outside = (-40.0, 0, -20, 20)
    assert detect_by(HERE, outside) == [[0, 0, 0, 20]]
    assert detect_by(Rules(clipping="before, without empty"), outside) == []
    assert detect_by(Rules(clipping="after, without empty"), outside) == []


def test_a_box_shrinks_at_most_62_5_times_in_mmdetection():
    """The anchor of 22 × 12 px at the corner, with log sizes of −6: 22·exp(−6) px here, 22·16/1000 px there."""
    subject, grid = predict_boxes((0, 0, 20, 20))
    subject.prediction.outputs.deltas[0, 0] = torch.tensor([1.0, 1.0, -6, -6])
    sides = {}
    for bounded in (False, True):
        rules = Rules(bounds_shrinking=bounded)
        box = detect(subject, predict_levels(subject, grid, rules), grid, Config(), rules).boxes[0]
        sides[bounded] = (box[2] - box[0]).item()
    assert sides[False] == pytest.approx(22 * 2.718281828**-6, rel=1e-3)
    assert sides[True] == pytest.approx(0.352, rel=1e-3)
    assert pytest.approx(4.1352, abs=1e-4) == MAX_LOG_SIZE


@pytest.mark.parametrize("seed", range(3))
def test_detections_by_torchvisions_conventions_are_torchvisions(seed):
    dice = torch.Generator().manual_seed(seed)
    grid = make_anchors(Config().anchors, SIZE, SIZE)
    logits = torch.randn(len(grid.boxes), 2, generator=dice) * 2 - 2
    deltas = torch.randn(len(grid.boxes), 4, generator=dice) * 0.5
    config, rules = apply(Config(), PRACTICES["torchvision"])
    inference = config.inference
    settings = SimpleNamespace(
        score_thresh=inference.score_threshold,
        topk_candidates=inference.topk_candidates,
        nms_thresh=inference.nms_threshold,
        detections_per_img=inference.max_detections,
        box_coder=utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0)),
    )
    split = {"cls_logits": logits[None].split(grid.counts, 1), "bbox_regression": deltas[None].split(grid.counts, 1)}
    anchors = [list(grid.boxes.split(grid.counts))]
    [theirs] = TorchvisionRetinaNet.postprocess_detections(settings, split, anchors, [(SIZE, SIZE)])
    ours = detect(make_subject(logits, deltas), (logits, deltas), grid, config, rules)
    assert len(ours.scores) == len(theirs["scores"]) > 100
    torch.testing.assert_close(ours.boxes, theirs["boxes"])
    assert torch.equal(ours.labels, theirs["labels"])


@torch.no_grad()
def test_p7_of_the_plain_p6():
    config = Config.from_flat({"model.weights": "random", "model.num_convs": 1, "inference.image_size": SIZE})
    torch.manual_seed(0)
    model = build_model(config.model, num_classes=2, anchors_per_location=9).eval()
    prediction = predict(model, [torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)], config)
    p6 = model.pyramid(prediction.batch.pixels).levels[3]
    none = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    subject = Subject(model, prediction, p6, *none)
    grid = make_anchors(config.anchors, SIZE, SIZE)
    as_here, plain = (predict_levels(subject, grid, Rules(relu_before_p7=relu)) for relu in (True, False))
    rest = len(grid.boxes) - grid.counts[-1]
    weight, bias = (model.state_dict()[f"backbone.fpn.extra_blocks.p7.{name}"] for name in ("weight", "bias"))
    for values, relu in ((as_here, torch.relu), (plain, lambda x: x)):
        p7 = torch.nn.functional.conv2d(relu(p6), weight, bias, stride=2, padding=1)
        expected = model.head["classification_head"]((p7,))[0]
        torch.testing.assert_close(values[0][rest:], expected)
    assert torch.equal(as_here[0][:rest], plain[0][:rest])
    assert (as_here[0][rest:] - plain[0][rest:]).abs().max() > 1e-5


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@torch.no_grad()
def test_p7_of_a_p6_without_negative_values_is_as_here(precision):
    settings = {"model.weights": "random", "model.num_convs": 1, "inference.image_size": SIZE}
    config = Config.from_flat({**settings, "inference.precision": precision})
    torch.manual_seed(0)
    model = build_model(config.model, num_classes=2, anchors_per_location=9).eval()
    torch.nn.init.zeros_(model.backbone.fpn.extra_blocks.p6.weight)
    torch.nn.init.ones_(model.backbone.fpn.extra_blocks.p6.bias)
    prediction = predict(model, [torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)], config)
    p6 = torch.ones(1, config.model.fpn_channels, *prediction.outputs.grids[3])
    subject = Subject(model, prediction, p6, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    grid = make_anchors(config.anchors, SIZE, SIZE)
    plain, _ = predict_levels(subject, grid, Rules(relu_before_p7=False), precision)
    assert torch.equal(plain, prediction.outputs.logits[0])


def test_the_normalisers_divide_by_what_they_say():
    """With n foreground anchors: n, n and 0.9·100 + 0.1·n."""
    subject, _ = predict_boxes((0, 0, 20, 20))
    subject = subject._replace(boxes=torch.tensor([[10.0, 10, 30, 30]]), labels=torch.tensor([0]))
    seen = {
        kind: see(subject, Config.from_flat({"loss.normaliser": kind}), HERE)
        for kind in ("image", "batch", "moving_average")
    }
    count = int(seen["image"].match.foreground.sum())
    assert count > 1
    total = seen["image"].losses.box * count
    torch.testing.assert_close(seen["batch"].losses.box, total / count)
    torch.testing.assert_close(seen["moving_average"].losses.box, total / (90 + 0.1 * count))

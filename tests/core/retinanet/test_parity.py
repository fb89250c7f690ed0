"""With the same weights, detections, losses and gradients equal those of torchvision's RetinaNet."""

import pytest
import torch
from torchvision.models.detection import (
    RetinaNet as TorchvisionRetinaNet,
    retinanet_resnet50_fpn,
    retinanet_resnet50_fpn_v2,
)
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.resnet import resnet18
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from core.config import Config
from core.retinanet.losses import batch_losses, total_loss
from core.retinanet.model import build_model
from core.retinanet.predict import detect, extract_detections, predict
from core.retinanet.preprocess import prepare
from core.structures import Detections, Sample
from core.weights.architecture import recognise

CLASSES = 5
SIZES = [(64, 64), (75, 110), (97, 60)]


def small_torchvision() -> TorchvisionRetinaNet:
    backbone = _resnet_fpn_extractor(
        resnet18(weights=None), 5, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256)
    )
    sizes = tuple((x, int(x * 2 ** (1 / 3)), int(x * 2 ** (2 / 3))) for x in (32, 64, 128, 256, 512))
    generator = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5)
    return TorchvisionRetinaNet(backbone, CLASSES, anchor_generator=generator)


MAKERS = {
    "v1": lambda: retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=CLASSES),
    "v2": lambda: retinanet_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=CLASSES),
    "resnet18": small_torchvision,
}
SETTINGS = {
    **{f"anchors.size_p{level}": 4 * 2**level for level in range(3, 8)},  # 32 … 512
    "inference.image_size": 96,
    "inference.max_image_size": 128,
    "inference.score_threshold": 0.3,
    "inference.max_detections": 300,
}


@torch.no_grad()
def spread_scores(theirs: TorchvisionRetinaNet) -> None:
    """Scales the last layer so that logits have a deviation of 2: scores that all round to 1 cannot be ordered."""
    batch, _ = theirs.transform(pictures())
    head = theirs.head.classification_head
    logits = head(list(theirs.backbone(batch.tensors).values()))
    head.cls_logits.weight /= logits.std() / 2
    head.cls_logits.bias /= logits.std() / 2


@pytest.fixture(scope="module", params=list(MAKERS))
def pair(request):
    """Torchvision's network and ours with the same weights, with scores spread over the unit interval."""
    torch.manual_seed(0)
    theirs = MAKERS[request.param]().eval()
    with torch.no_grad():
        for head in (theirs.head.classification_head, theirs.head.regression_head):
            for parameter in head.conv.parameters():
                parameter.mul_(4 if parameter.dim() > 1 else 1)
        theirs.head.classification_head.cls_logits.weight.normal_(std=0.3)
        theirs.head.classification_head.cls_logits.bias.normal_(std=1)
        theirs.head.regression_head.bbox_reg.weight.normal_(std=0.02)
    theirs.transform.min_size, theirs.transform.max_size = (96,), 128
    spread_scores(theirs)
    theirs.score_thresh = 0.3
    architecture = recognise(theirs.state_dict())
    settings = {**architecture.settings, **SETTINGS}
    if architecture.p6_source is None:
        settings["model.p6_source"] = "p5"
    config = Config.from_flat(settings)
    ours = build_model(config.model, num_classes=CLASSES, anchors_per_location=9)
    ours.load_state_dict(theirs.state_dict())  # strict
    theirs.load_state_dict(ours.state_dict())  # and back
    return theirs, ours.eval(), config


def pictures() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(3, *size, generator=generator) for size in SIZES]


def in_one_batch(model, images, config):
    return extract_detections(predict(model, images, config), config)


def in_order(found: Detections) -> Detections:
    """Sorts detections of exactly the same score, which have no defined order, by label and box."""
    rows = list(zip((-found.scores).tolist(), found.labels.tolist(), found.boxes.tolist(), strict=True))
    order = sorted(range(len(rows)), key=rows.__getitem__)
    return Detections(*(part[order] for part in found))


def same_detections(theirs, ours, config, images, *, detect=in_one_batch) -> int:
    with torch.inference_mode():
        expected = theirs(images)
    found = detect(ours, images, config)
    for reference, mine in zip(expected, found, strict=True):
        reference = in_order(Detections(reference["boxes"], reference["scores"], reference["labels"]))
        mine = in_order(mine)
        assert mine.labels.tolist() == reference.labels.tolist()
        assert torch.allclose(mine.scores, reference.scores, atol=1e-5)
        assert torch.allclose(mine.boxes, reference.boxes, atol=0.01)
    return sum(len(mine.labels) for mine in found)


@pytest.mark.slow
def test_detections_of_one_image_at_a_time(pair):
    assert sum(same_detections(*pair, [image], detect=detect) for image in pictures()) > 100


@pytest.mark.slow
def test_detections_of_a_batch_of_unequal_images(pair):
    assert same_detections(*pair, pictures()) > 100


@pytest.mark.slow
def test_no_detections(pair):
    theirs, ours, config = pair
    theirs.score_thresh = 1.0
    assert same_detections(theirs, ours, config.replace({"inference.score_threshold": 1}), pictures()) == 0
    theirs.score_thresh = 0.3


def targets() -> list[Sample]:
    boxes = [
        torch.tensor([[5.0, 5, 40, 50], [10, 20, 60, 60]]),
        torch.zeros(0, 4),
        torch.tensor([[0.0, 0, 59, 90]]),
    ]
    labels = [torch.tensor([0, 4]), torch.zeros(0, dtype=torch.int64), torch.tensor([2])]
    return [
        Sample(image, box, label, torch.zeros(len(label), dtype=torch.bool), index)
        for index, (image, box, label) in enumerate(zip(pictures(), boxes, labels, strict=True))
    ]


@pytest.mark.slow
def test_losses_and_gradients(pair):
    """Under torchvision's definition: focal(0.25, 2), its box loss, normalised per image."""
    theirs, ours, config = pair
    samples = targets()
    box_loss = theirs.head.regression_head._loss_type
    config = config.replace({"loss.box_loss": box_loss, "loss.normaliser": "image", "loss.box_weight": 1})
    theirs.train()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    expected = theirs(
        [sample.image for sample in samples],
        [{"boxes": sample.boxes, "labels": sample.labels} for sample in samples],
    )
    sum(expected.values()).backward()
    theirs.eval()

    batch = prepare([sample.image for sample in samples], config.inference)
    mine = total_loss(batch_losses(ours(batch.pixels), batch, samples, config), config.loss)
    mine.total.backward()
    assert mine.classification.item() == pytest.approx(expected["classification"].item(), rel=1e-5)
    assert mine.box.item() == pytest.approx(expected["bbox_regression"].item(), rel=1e-5)
    for (name, own), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if other.grad is not None:
            scale = other.grad.abs().max().clamp(min=1e-6)
            assert ((own.grad - other.grad).abs().max() / scale) < 1e-3, name
    ours.zero_grad()
    theirs.zero_grad()

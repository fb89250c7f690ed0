"""torchvision's detectors, trained by a plain loop with the same samples, learning rates and steps as ours."""

import json
import math
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.models import resnet18
from torchvision.models.detection import FasterRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.coco_metrics import evaluate
from core.io.atomic import write_atomically, write_text
from core.retinanet.heads import norm_groups
from core.retinanet.model import RetinaNet as OurRetinaNet
from core.structures import Detections, GroundTruth, Sample
from core.training.optimization.optimizer import Schedule, build_optimizer
from core.training.samples import TrainingStream
from core.weights.sources import adopt, build, weights_for

RETINANET, FASTER_RCNN = "RetinaNet", "Faster R-CNN"
WEIGHTS = "weights.pth"
CHECKPOINT_STEPS = 100
EVALUATION_BATCH = 4
# Regions per image on which the second stage is trained. torchvision's default of 512 is for images of ten times this
# area; on CPUs the gradient of RoIAlign, which runs on one thread, would then take half of each step.
REGIONS = 128


def retinanet(config: Config, num_classes: int) -> RetinaNet:
    """Builds torchvision's RetinaNet with the backbone, channels, anchors and box loss of a configuration."""
    model, anchors = config.model, config.anchors
    backbone = _fpn(model.fpn_channels, [2, 3, 4], LastLevelP6P7(512, model.fpn_channels))
    sizes = tuple(tuple(int(size * scale) for scale in anchors.scales) for size in anchors.sizes)
    generator = AnchorGenerator(sizes, (anchors.ratios,) * len(sizes))
    norm = partial(nn.GroupNorm, norm_groups(model)) if model.head_norm == "group" else None
    head = RetinaNetHead(model.fpn_channels, anchors.per_location, num_classes, norm_layer=norm)
    head.regression_head._loss_type = config.loss.box_loss
    sides = _sides(config)
    network = RetinaNet(backbone, num_classes, anchor_generator=generator, head=head, **sides)
    _return_float32(network.head)
    network.score_thresh, network.nms_thresh = config.inference.score_threshold, config.inference.nms_threshold
    network.detections_per_img = config.inference.max_detections
    return network


def faster_rcnn(config: Config, num_classes: int) -> FasterRCNN:
    """Builds torchvision's Faster R-CNN with the same backbone and channels; as usual its pyramid starts at P2."""
    backbone = _fpn(config.model.fpn_channels, [1, 2, 3, 4], LastLevelMaxPool())
    # As usual one anchor size per level; the sizes are ours, since the images are a third as large as those of COCO.
    generator = AnchorGenerator(tuple((int(size),) for size in config.anchors.sizes), (config.anchors.ratios,) * 5)
    network = FasterRCNN(
        backbone,
        num_classes + 1,  # label 0 is the background
        rpn_anchor_generator=generator,
        box_score_thresh=config.inference.score_threshold,
        box_nms_thresh=config.inference.nms_threshold,
        box_detections_per_img=config.inference.max_detections,
        box_batch_size_per_image=REGIONS,
        **_sides(config),
    )
    _return_float32(network.rpn.head)
    _return_float32(network.roi_heads.box_predictor)
    return network


def _return_float32(head: nn.Module) -> None:
    """Makes a head return float32 under autocast, as ours does: bfloat16 rounds coordinates above 128 px to 1 px."""
    head.register_forward_hook(lambda _head, _inputs, outputs: _to_float32(outputs))


def _to_float32(outputs: Any) -> Any:
    if isinstance(outputs, dict):
        return {name: _to_float32(each) for name, each in outputs.items()}
    return outputs.float() if isinstance(outputs, Tensor) else type(outputs)(map(_to_float32, outputs))


MAKERS = {RETINANET: retinanet, FASTER_RCNN: faster_rcnn}
FIRST_LABEL = {RETINANET: 0, FASTER_RCNN: 1}


def _fpn(channels: int, layers: list[int], extra: nn.Module) -> nn.Module:
    """Returns a ResNet-18 with live batch norms and a pyramid of any width; torchvision's helper supports only 256."""
    names = {f"layer{layer}": str(index) for index, layer in enumerate(layers)}
    widths = [32 * 2**layer for layer in layers]
    return BackboneWithFPN(resnet18(weights=None), names, widths, channels, extra_blocks=extra)


def _sides(config: Config) -> dict[str, int]:
    return {"min_size": config.inference.image_size, "max_size": config.inference.max_image_size}


def train(name: str, config: Config, data: DataSet, test: DataSet, folder: Path) -> dict[str, Any]:
    """Trains a torchvision detector in a folder, or continues its run, and returns its COCO metrics."""
    finished = folder / "metrics.json"
    if not finished.exists():
        folder.mkdir(parents=True, exist_ok=True)
        network = build_network(name, config, data)
        for _ in training_steps(name, network, config, data, folder):
            pass
        found = detect(name, network, test, config)
        truths = [GroundTruth.of(test[index]) for index in range(len(found))]
        figures = evaluate(found, truths, data.class_names).to_dict()
        save(folder / WEIGHTS, network.state_dict())
        write_text(finished, json.dumps(figures))
    return json.loads(finished.read_text("utf-8"))


def save(path: Path, content: Any) -> None:
    """Saves with PyTorch, atomically."""
    with write_atomically(path) as beside:
        torch.save(content, beside)


def build_network(name: str, config: Config, data: DataSet) -> nn.Module:
    """Returns a torchvision network; RetinaNet has the same initial weights as ours."""
    torch.manual_seed(config.training.seed)
    network = MAKERS[name](config, len(data.class_names))
    if name == RETINANET:
        network.load_state_dict(build_ours(config, data).state_dict())
    return network


def build_ours(config: Config, data: DataSet) -> OurRetinaNet:
    """Returns our network with its initial weights."""
    torch.manual_seed(config.training.seed)
    weights = weights_for(config)
    other = data.class_names != weights.class_names
    return build(adopt(config, weights), weights, num_classes=len(data.class_names), new_classes=other)


def training_steps(name: str, network: nn.Module, config: Config, data: DataSet, folder: Path) -> Iterator[float]:
    """Trains a torchvision network; yields the loss of each step."""
    training, checkpoint = config.training, folder / "checkpoint.pt"
    network.to(memory_format=torch.channels_last)
    optimizer, schedule, done = build_optimizer(network, training), Schedule(training), 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["step"]
    size = training.batch_size
    batches = [list(range(step * size, (step + 1) * size)) for step in range(done, training.steps)]
    loader = DataLoader(TrainingStream(data, config), batch_sampler=batches, collate_fn=list, num_workers=1)
    for step, drawn in enumerate(loader, start=done):
        samples = [each.sample for each in drawn if each.sample]
        yield train_step(name, network.train(), optimizer, schedule.rate(step), samples, config)
        if (step + 1) % CHECKPOINT_STEPS == 0:
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            save(checkpoint, state)


def train_step(
    name: str, network: nn.Module, optimizer: torch.optim.Optimizer, rate: float, samples: list[Sample], config: Config
) -> float:
    """Makes one step with a network in training mode; returns the loss before the step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    targets = [{"boxes": sample.boxes, "labels": sample.labels + FIRST_LABEL[name]} for sample in samples]
    images = [sample.image.float() / 255 for sample in samples]
    bf16 = config.training.precision == "bf16"
    with torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
        losses = network(images, targets)
    weights = {"bbox_regression": config.loss.box_weight} if name == RETINANET else {}
    loss = sum(weights.get(part, 1.0) * value.float() for part, value in losses.items())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), config.training.clip_norm or math.inf)
    optimizer.step()
    return loss.item()


@torch.inference_mode()
def detect(name: str, network: nn.Module, data: DataSet, config: Config) -> list[Detections]:
    """Returns a torchvision network's detections in the first `training.eval_images` images."""
    network.eval()
    count, found = min(config.training.eval_images, len(data)), []
    for start in range(0, count, EVALUATION_BATCH):
        samples = [data[index] for index in range(start, min(start + EVALUATION_BATCH, count))]
        for each in network([sample.image.float() / 255 for sample in samples]):
            found.append(Detections(each["boxes"], each["scores"], each["labels"] - FIRST_LABEL[name]))
    return found

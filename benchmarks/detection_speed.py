"""Detection in one image: a ResNet-50 detector for COCO at 480×640 px, and the built-in detector at 320 px."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import retinanet_resnet50_fpn

from benchmarks.clock import time_in_turn
from benchmarks.machine import measure_matrix_rate
from benchmarks.rows import Row, print_rows
from benchmarks.torchvision_detectors import retinanet
from core.config import Config
from core.data.sources import open_data
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet, build_model
from core.retinanet.predict import detect
from core.weights.architecture import recognise
from core.weights.sources import adopt, build, load_weights

COCO_CLASSES = 91
LOGITS_DEVIATION = 2  # standard deviation of the random network's logits, for scores of realistic spread


def measure(repeats: int = 5) -> list[Row]:
    """Times both detectors.

    Raises:
        RuntimeError: The detections differ.
    """
    rate = measure_matrix_rate(torch.float32, 2048)
    return [_coco_shaped(repeats, rate), _built_in(repeats, rate)]


def _coco_shaped(repeats: int, rate: float) -> Row:
    torch.manual_seed(0)
    theirs = retinanet_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=COCO_CLASSES, min_size=480, max_size=640
    ).eval()
    image = torch.rand(3, 480, 640)
    _spread_scores(theirs, image)
    sizes = {f"anchors.size_p{level}": 4 * 2**level for level in range(3, 8)}
    inference = {"inference.image_size": 480, "inference.max_image_size": 640, "inference.max_detections": 300}
    config = Config.from_flat({**recognise(theirs.state_dict()).settings, **sizes, **inference})
    ours = build_model(config.model, num_classes=COCO_CLASSES, anchors_per_location=9)
    ours.load_state_dict(theirs.state_dict())
    return _row("detection, R50 of COCO's shape, 480×640 px", theirs, ours, config, image, 1.3, repeats, rate)


@torch.no_grad()
def _spread_scores(theirs: nn.Module, image: Tensor) -> None:
    head = theirs.head.classification_head
    batch, _ = theirs.transform([image])
    head.cls_logits.weight.normal_(std=0.1)
    logits = head(list(theirs.backbone(batch.tensors).values()))
    head.cls_logits.weight *= LOGITS_DEVIATION / logits.std()
    head.cls_logits.bias.fill_(-6.0)


def _built_in(repeats: int, rate: float) -> Row:
    weights = load_weights("builtin")
    config = adopt(Config.from_flat({"inference.image_size": 320, "scenes.image_size": 320}), weights)
    ours, theirs = build(config, weights), retinanet(config, len(weights.class_names)).eval()
    theirs.load_state_dict(ours.state_dict())
    image = open_data("scenes", "test", config.scenes, 1)[0].image / 255
    return _row("detection, built-in R18, 320 px", theirs, ours, config, image, 1.5, repeats, rate)


def _row(
    work: str, theirs: nn.Module, ours: RetinaNet, config: Config, image: Tensor, goal: float, repeats: int, rate: float
) -> Row:
    fast = fuse_batch_norms(ours)

    @torch.inference_mode()
    def by_torchvision() -> tuple[Tensor, ...]:
        found = theirs([image])[0]
        return found["boxes"], found["scores"], found["labels"]

    works: dict[str, Callable[[], object]] = {
        "torchvision": by_torchvision,
        "ours": lambda: detect(fast, [image], config)[0],
    }
    for one, other, tolerance in zip(works["torchvision"](), works["ours"](), (0.1, 1e-3, 0), strict=True):
        if one.shape != other.shape or not torch.allclose(one.float(), other.float(), atol=tolerance, rtol=1e-3):
            raise RuntimeError(f"{work}: the detections differ from torchvision's.")
    with FlopCounterMode(display=False) as counter:
        works["ours"]()
    done = counter.get_total_flops()
    seconds = time_in_turn(works, repeats=repeats)
    note = f"{done / 1e9:.0f} GFLOP at {done / seconds['ours'] / 1e9:.0f} of {rate / 1e9:.0f} GFLOP/s"
    return Row(work, "torchvision", seconds["torchvision"], seconds["ours"], goal, note)


if __name__ == "__main__":
    print_rows(measure())

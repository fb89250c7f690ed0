"""Largest differences from torchvision's RetinaNet with the same weights, in outputs and detections."""

import torch
from torch import nn
from torchvision.models.detection import retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2

from core.config import Config
from core.retinanet.model import RetinaNet, build_model
from core.retinanet.predict import detect, predict
from core.weights.architecture import recognise

SIZES = ((480, 640), (333, 500), (240, 320))


def main() -> None:
    """Prints one line per model and image size."""
    for name, make in (("v1", retinanet_resnet50_fpn), ("v2", retinanet_resnet50_fpn_v2)):
        torch.manual_seed(0)
        theirs = make(weights=None, weights_backbone=None, num_classes=7, min_size=320, max_size=500).eval()
        with torch.no_grad():
            theirs.head.classification_head.cls_logits.weight.normal_(std=0.3)
            theirs.head.regression_head.bbox_reg.weight.normal_(std=0.02)
        sizes = {f"anchors.size_p{level}": 4 * 2**level for level in range(3, 8)}
        settings = {
            **sizes,
            "inference.image_size": 320,
            "inference.max_image_size": 500,
            "inference.max_detections": 300,
        }
        config = Config.from_flat({**recognise(theirs.state_dict()).settings, **settings})
        ours = build_model(config.model, num_classes=7, anchors_per_location=9)
        ours.load_state_dict(theirs.state_dict())
        for size in SIZES:
            print(f"{name} {size[1]}×{size[0]}: {describe_differences(theirs, ours, config, torch.rand(3, *size))}")


@torch.inference_mode()
def describe_differences(theirs: nn.Module, ours: RetinaNet, config: Config, image: torch.Tensor) -> str:
    """Returns a description of the largest absolute differences for one image."""
    batch, _ = theirs.transform([image])
    heads = theirs.head(list(theirs.backbone(batch.tensors).values()))
    outputs = predict(ours, [image], config).outputs
    reference, found = theirs([image])[0], detect(ours, [image], config)[0]
    same = reference["labels"].tolist() == found.labels.tolist()
    return (
        f"logits {(heads['cls_logits'] - outputs.logits).abs().max():.1e}, "
        f"deltas {(heads['bbox_regression'] - outputs.deltas).abs().max():.1e}, "
        f"{len(found.labels)} detections in {'the same' if same else 'ANOTHER'} order, "
        f"scores {(reference['scores'] - found.scores).abs().max():.1e}, "
        f"boxes {(reference['boxes'] - found.boxes).abs().max():.1e} px"
    )


if __name__ == "__main__":
    main()

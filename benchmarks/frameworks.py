"""Compares `core.conventions` with detectron2 and MMDetection themselves, as far as they are installed here.

`python -m benchmarks.frameworks` builds each from its exported code, gives it the outputs of the built-in detector for
the first test scene, and prints how far its anchors, assignment, losses and detections are from those by its
conventions here. torchvision is compared in the tests. Nothing of either is needed otherwise.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.config import Config
from core.conventions.comparison import apply
from core.conventions.convention import DETECTRON2, MMDETECTION
from core.conventions.table import CONVENTIONS
from core.conventions.view import Seen, Subject, make_subject, see
from core.data.sources import open_data
from core.evaluation.class_names import relabel
from core.export.detectron2 import to_detectron2
from core.export.mmdetection import to_mmdetection
from core.structures import Detections
from core.weights.sources import adopt, build, weights_for


class Theirs(NamedTuple):
    """What a framework makes of the outputs.

    Attributes:
        anchors: float32 [N, 4].
        owner: int64 [N]: the object of each foreground anchor, −1 for background, −2 for ignored ones.
        losses: Classification and box loss.
        detections: Best first.
    """

    anchors: Tensor
    owner: Tensor
    losses: tuple[float, float]
    detections: Detections


class Case(NamedTuple):
    """A picture with the outputs for it, level by level."""

    subject: Subject
    config: Config
    num_classes: int

    @property
    def levels(self) -> tuple[list[Tensor], list[Tensor]]:
        """Logits [1, n, K] and deltas [1, n, 4] of each level."""
        outputs = self.subject.prediction.outputs
        counts = [rows * columns * self.config.anchors.per_location for rows, columns in outputs.grids]
        logits, deltas = outputs.logits.clone(), outputs.deltas.clone()  # theirs changes them in place
        return list(logits.split(counts, dim=1)), list(deltas.split(counts, dim=1))


def run_detectron2(case: Case) -> Theirs:
    """Runs detectron2's own anchors, labels, losses and post-processing."""
    names: dict[str, Any] = {}
    exec(to_detectron2(case.config, case.num_classes), names)
    config = names["cfg"]
    config.MODEL.DEVICE = "cpu"
    model = import_module("detectron2.modeling").build_model(config).eval()
    structures, events = import_module("detectron2.structures"), import_module("detectron2.utils.events")
    (logits, deltas), size, subject = case.levels, case.subject.prediction.batch.sizes[0], case.subject
    anchors = model.anchor_generator([torch.zeros(1, 1, *grid) for grid in subject.prediction.outputs.grids])
    objects = structures.Instances(size, gt_boxes=structures.Boxes(subject.boxes), gt_classes=subject.labels)
    labels, matched = model.label_anchors(anchors, [objects])
    with events.EventStorage():
        losses = model.losses(anchors, logits, labels, deltas, matched)
    found = model.inference_single_image(anchors, [each[0] for each in logits], [each[0] for each in deltas], size)
    found = import_module("detectron2.modeling.postprocessing").detector_postprocess(found, *size)
    owner = (matched[0][:, None] == subject.boxes).all(dim=2).int().argmax(dim=1)
    owner[labels[0] == case.num_classes], owner[labels[0] < 0] = -1, -2
    return Theirs(
        structures.Boxes.cat(anchors).tensor,
        owner,
        (losses["loss_cls"].item(), losses["loss_box_reg"].item()),
        Detections(found.pred_boxes.tensor, found.scores, found.pred_classes),
    )


def run_mmdetection(case: Case) -> Theirs:
    """Runs MMDetection's own head; `mmcv` must have its compiled operations, of which NMS is one."""
    for module in ("mmdet.models", "mmdet.datasets"):
        import_module(module)  # which registers what the configuration names
    import_module("mmengine.registry").init_default_scope("mmdet")
    with TemporaryDirectory() as folder:
        file = Path(folder, "config.py")
        file.write_text(to_mmdetection(case.config, case.num_classes), "utf-8")
        config = import_module("mmengine.config").Config.fromfile(file)
    head = import_module("mmdet.registry").MODELS.build(config.model).eval().bbox_head
    make = import_module("mmengine.structures").InstanceData
    subject, (height, width) = case.subject, case.subject.prediction.batch.sizes[0]
    grids = subject.prediction.outputs.grids
    anchors = torch.cat(head.prior_generator.grid_priors(grids, device="cpu"))
    objects = make(bboxes=subject.boxes, labels=subject.labels)
    owner = head.assigner.assign(make(priors=anchors), objects).gt_inds
    meta = dict.fromkeys(("img_shape", "pad_shape", "batch_input_shape", "ori_shape"), (height, width))
    meta = {**meta, "scale_factor": (1.0, 1.0)}
    maps = [[_to_map(each, grid) for each, grid in zip(part, grids, strict=True)] for part in case.levels]
    losses = head.loss_by_feat(*maps, [objects], [meta])
    [found] = head.predict_by_feat(*maps, batch_img_metas=[meta], rescale=False)
    return Theirs(
        anchors,
        torch.where(owner > 0, owner - 1, torch.where(owner == 0, -1, -2)),
        (sum(each.item() for each in losses["loss_cls"]), sum(each.item() for each in losses["loss_bbox"])),
        Detections(found.bboxes, found.scores, found.labels),
    )


def _to_map(rows: Tensor, grid: tuple[int, int]) -> Tensor:
    """Returns predictions [1, rows · columns · A, width] as a head's map [1, A · width, rows, columns]."""
    return rows.view(1, *grid, -1).permute(0, 3, 1, 2)


RUNS: dict[str, tuple[str, Callable[[Case], Theirs]]] = {
    DETECTRON2: ("detectron2", run_detectron2),
    MMDETECTION: ("mmdet", run_mmdetection),
}
# The exported code says what these do, as the settings are, so that they are no conventions here.
EXPORTED = ("box_loss", "p7", "cap")


def describe(ours: Seen, theirs: Theirs) -> Iterator[str]:
    """Yields the largest differences, in words."""
    yield f"anchors {(ours.anchors - theirs.anchors).abs().max():.1e} px"
    owner = torch.where(ours.match.foreground, ours.match.object, torch.where(ours.match.label == 0, -1, -2))
    yield f"assignment {int((owner != theirs.owner).sum())} of {len(owner):,}"
    for name, mine, other in zip(("classification", "box"), ours.losses, theirs.losses, strict=True):
        yield f"{name} loss {abs(mine.item() - other):.1e} of {other:.4f}"
    found, other = ours.detections, theirs.detections
    if len(found.scores) != len(other.scores) or not torch.equal(found.labels, other.labels):
        yield f"{len(found.scores)} detections instead of {len(other.scores)}, or other classes"
        return
    edges, scores = (found.boxes - other.boxes).abs().max(), (found.scores - other.scores).abs().max()
    yield f"{len(found.scores)} detections, boxes {edges:.1e} px, scores {scores:.1e}"


@torch.no_grad()
def main() -> None:
    """Prints one line per framework."""
    weights = weights_for(Config())
    config = adopt(Config(), weights)
    sample = relabel(open_data("scenes", "test", config.scenes, 1), weights.class_names)[0]
    subject = make_subject(build(config, weights), sample, config)
    for framework, (package, run) in RUNS.items():
        if find_spec(package) is None:
            print(f"{package} is not installed")
            continue
        settings, rules = apply(config, [each.practices[framework] for each in CONVENTIONS if each.key not in EXPORTED])
        theirs = run(Case(subject, config, len(weights.class_names)))
        version = getattr(import_module(package), "__version__", "")
        print(f"{package} {version}: {', '.join(describe(see(subject, settings, rules), theirs))}")


if __name__ == "__main__":
    main()

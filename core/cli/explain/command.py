"""The command `explain`: the importance map of one detection in a picture."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.cli.common import load_detector
from core.cli.explain.drawing import draw_map
from core.config import Config, ConfigError
from core.data.images import open_image
from core.errors import PictureError, quote
from core.explain.agreement import correlate_maps
from core.explain.deletion import delete, draw_in_box
from core.explain.evidence import Evidence, find_evidence
from core.explain.maps import FEATURES, enlarge, map_features, map_pixels
from core.explain.occlusion import map_occlusion
from core.explain.receptive_field import measure_field
from core.explain.target import CLASS, Subject, Target
from core.io.atomic import require_writable, write_atomically
from core.io.text import count_noun
from core.retinanet.anchors import LEVELS
from core.retinanet.boxes import clip
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import RetinaNet
from core.retinanet.postprocess import select_detections
from core.retinanet.predict import extract_candidates, make_batch_anchors, predict
from core.retinanet.preprocess import Batch
from core.retinanet.tiles import is_tiled

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}  # of the drawing, by the ending of its name
QUALITY = 95  # of a JPEG
DETECTION, ANCHOR, FIELD = "#e69f00", "#009e73", "#56b4e9"  # colours of the boxes: orange, green, blue


class _Found(NamedTuple):
    """A detection in a picture.

    Attributes:
        subject: Its class logit or its box, as `--of` says.
        batch: The picture as the network sees it.
        score: Its score.
        box: Its box, [4], in pixels of the resized picture; if boxes were fused, the fused one, of which the best
            anchor is explained.
    """

    subject: Subject
    batch: Batch
    score: float
    box: Tensor


def explain(config: Config, options: Namespace) -> dict[str, Any]:
    """Draws the importance map of a detection; detections are numbered from 1, the best first.

    The picture is explained as a whole and as it is; settings that see it otherwise, too, are refused.

    Returns:
        The detection with its anchor and its effective receptive field, in pixels of the picture, and with `--masks`
        the checks of the map by hiding parts of the picture.

    Raises:
        PictureError: The picture cannot be used, or has fewer detections.
        ConfigError: An output file is the picture or the other one, the format of the drawing is unknown, or the
            settings see the picture in tiles or in other views.
        OutputError: The drawing cannot be written.
    """
    require_writable(options.out)
    form = _choose_format(options.out)
    _require_other_files(options)
    image = open_image(options.picture)
    _require_plain(config, image)
    config, weights, model = load_detector(config, options.classes)
    found = _find_detection(fuse_batch_norms(model), image, config, options)
    evidence = find_evidence(found.subject)
    on_level = options.on == FEATURES
    importance = enlarge(map_features(evidence), *evidence.pixels.shape[1:]) if on_level else map_pixels(evidence)
    result = _describe(found, evidence, weights.class_names[found.subject.target.label])
    boxes = {FIELD: result["receptive_field"], ANCHOR: result["anchor"], DETECTION: result["box"]}
    height, width = found.batch.sizes[0]
    with write_atomically(options.out) as temporary:
        draw_map(image, importance[:height, :width].cpu(), boxes).save(temporary, form, quality=QUALITY)
    if options.masks:
        result["check"] = _check(found, importance, options.masks, config.training.seed)
    _report(result, options)
    return result


def _choose_format(out: Path) -> str:
    """Returns the format of the drawing that its name asks for; raises `ConfigError` for any other."""
    if out.suffix.lower() not in FORMATS:
        raise ConfigError(f"--out {out} must end in {' or '.join(FORMATS)}: these are the formats of the drawing.")
    return FORMATS[out.suffix.lower()]


def _require_other_files(options: Namespace) -> None:
    """Raises `ConfigError` if an output file is the picture, or if both output files are the same."""
    pairs = [("--out", options.out, "picture", options.picture)]
    if options.json:
        pairs.append(("--json", options.json, "picture", options.picture))
        pairs.append(("--json", options.json, "drawing", options.out))
    for flag, path, what, other in pairs:
        if _is_same(path, other):
            raise ConfigError(f"{flag} {path} would replace the {what}: name another file.")


def _require_plain(config: Config, image: Tensor) -> None:
    """Raises `ConfigError` if a picture is also seen in tiles or in other views, whose boxes have other anchors."""
    inference, (height, width) = config.inference, image.shape[1:]
    if is_tiled(height, width, inference):
        raise ConfigError(
            f"inference.tile_size = {inference.tile_size} would also see the picture in tiles, but explain shows what "
            "a box rests on in the picture as a whole: set inference.tile_size to 0."
        )
    if inference.num_views > 1:
        raise ConfigError(
            "inference.test_time_flip and inference.test_time_scales would also see the picture mirrored or in other "
            "sizes, but explain shows what a box rests on in the picture as it is: set them to false and to 1."
        )


def _is_same(path: Path, other: Path) -> bool:
    """True if two paths name one file, as names do that differ in capitals where the system ignores these."""
    return path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other))


def _find_detection(model: RetinaNet, image: Tensor, config: Config, options: Namespace) -> _Found:
    """Returns the detection that the options name, in the picture as a whole.

    Raises:
        PictureError: There are fewer, or the network cannot process the picture.
    """
    try:
        prediction = predict(model, [image], config)
    except PictureError as error:  # of the shape, so that it does not name the picture
        raise PictureError(f"{options.picture}: {error}") from None
    candidates = extract_candidates(prediction, 0, config)
    order, scores, boxes = select_detections(candidates, config.inference)
    if not len(order):
        raise PictureError(
            f"{options.picture} has no detections under these settings: lower --inference.score_threshold."
        )
    if not 1 <= options.detection <= len(order):
        raise PictureError(
            f"{options.picture} has {count_noun(len(order), 'detection')} under these settings, numbered from 1, and "
            f"none with number {quote(options.detection)}: name another, or lower --inference.score_threshold."
        )
    chosen = order[options.detection - 1]
    grid = make_batch_anchors(prediction.batch, config.anchors)
    target = Target(int(candidates.anchor[chosen]), int(candidates.label[chosen]), options.of)
    subject = Subject(model, prediction.batch.pixels, grid, target)
    return _Found(subject, prediction.batch, scores[chosen].item(), boxes[chosen])


def _describe(found: _Found, evidence: Evidence, name: str) -> dict[str, Any]:
    """Returns the reported values of a detection; boxes are in pixels of the picture."""
    factors = found.batch.factors[0].cpu()

    def place(box: Tensor | Sequence[float]) -> list[float]:
        inside = clip(torch.as_tensor(box, dtype=torch.float32).cpu()[None], *found.batch.sizes[0])[0]
        return [round(edge, 1) for edge in (inside * factors).tolist()]

    field = measure_field(evidence.pixel_gradient)
    return {
        "class": name,
        "score": found.score,
        "box": place(found.box),
        "level": LEVELS[evidence.place.level],
        "anchor": place(found.subject.grid.boxes[found.subject.target.anchor]),
        "of": found.subject.target.part,
        "value": evidence.value,
        "receptive_field": place(field.most) if field.most else None,
        "half_of_it": place(field.half) if field.half else None,
    }


def _check(found: _Found, importance: Tensor, masks: int, seed: int) -> dict[str, float]:
    """Returns the two checks of a map by hiding parts of the picture.

    Returns:
        The rank correlation with the map from random masks, and the areas under the deletion curves of the map and of
        the pixels of the box in a random order.
    """
    x1, y1, x2, y2 = found.box.tolist()
    occlusion = map_occlusion(found.subject, masks=masks, seed=seed)
    area = (x2 - x1) * (y2 - y1)
    return {
        "rank_correlation": correlate_maps(importance.cpu(), occlusion, (x1, y1, x2, y2)),
        "left_by_map": delete(found.subject, importance, area).area,
        "left_by_chance": delete(found.subject, draw_in_box(importance, (x1, y1, x2, y2), seed), area).area,
    }


def _report(result: dict[str, Any], options: Namespace) -> None:
    """Prints the result in sentences."""
    rests = "The class logit" if options.of == CLASS else "The length of the deltas"
    names = ("box", "anchor", "receptive_field", "half_of_it")
    edges = {name: ", ".join(f"{edge:.0f}" for edge in result[name] or ()) or "no place" for name in names}
    print(f"{options.detection}: {result['class']} {result['score']:.2f} at {edges['box']} (orange), ", end="")
    print(f"from an anchor of {result['level']} at {edges['anchor']} (green)")
    print(f"{rests} is {result['value']:.2f}. Half of what can move it lies at {edges['half_of_it']}, ", end="")
    print(f"95% at {edges['receptive_field']} (blue): its effective receptive field")
    if check := result.get("check"):
        print(f"Rank correlation with {options.masks} random masks: {check['rank_correlation']:.2f}")
        print(f"Left while the box's area is hidden by the map: {check['left_by_map']:.2f}; ", end="")
        print(f"by chance within the box: {check['left_by_chance']:.2f}")
    print(f"Bright where it matters: {options.out}")

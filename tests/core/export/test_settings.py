"""Exported settings: torchvision's script is run and compared, the others are checked key by key."""

import ast
import shlex

import pytest
import torch
from torchvision.models.detection import retinanet
from torchvision.models.detection.image_list import ImageList

from core.cli import main, running
from core.config import Config, ConfigError, format_value, knobs
from core.export.detectron2 import build_detectron2_config
from core.export.framework_settings import Framework, acts, find_missing, reset_idle
from core.export.mmdetection import build_mmdetection_config
from core.export.settings import FORMATS, to_command, to_json
from core.export.torchvision import to_torchvision
from core.retinanet.anchors import make_anchors
from core.retinanet.losses import batch_losses, total_loss
from core.retinanet.model import build_model
from core.retinanet.predict import detect
from core.retinanet.preprocess import prepare
from core.structures import Sample
from tests.core.config.acting import IDLE, other_values
from tests.core.networks import spread_scores

PICTURE = torch.rand(3, 75, 110, generator=torch.Generator().manual_seed(1))
SMALL = {"model.fpn_channels": 32, "inference.image_size": 96, "inference.max_image_size": 128}
CASES = {
    "defaults": {},
    "narrow": {"model.num_convs": 2, "model.head_norm": "none", "model.p6_source": "p5"},
    "deep heads": {"model.num_convs": 6, "loss.box_loss": "giou", "anchors.ratios": (1.0,)},
    "no head": {"model.num_convs": 0, "loss.gamma": 0.5, "loss.alpha": 0.4, "loss.smooth_l1_beta": 0.3},
    "plain": {"loss.kind": "cross_entropy", "loss.box_loss": "l1", "matching.force_best_match": False},
    "balanced": {"loss.kind": "balanced_cross_entropy", "loss.alpha": 0.7, "matching.fg_iou_threshold": 0.6},
    "exact": {"anchors.convention": "exact", "anchors.size_p3": 17.5},
    "inference": {"inference.score_threshold": 0.1, "inference.nms_threshold": 0.3, "inference.max_detections": 7},
}


@pytest.fixture
def restored():
    """Restores the losses of torchvision, which the script replaces."""
    before = retinanet.sigmoid_focal_loss, retinanet._box_loss
    yield
    retinanet.sigmoid_focal_loss, retinanet._box_loss = before


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_torchvision_script_builds_the_same_detector(case, restored):
    config = Config.from_flat({**SMALL, **CASES[case]})
    names: dict = {}
    exec(compile(to_torchvision(config, 3), case, "exec"), names)
    theirs = names["model"].eval()
    torch.manual_seed(0)
    ours = build_model(config.model, num_classes=3, anchors_per_location=config.anchors.per_location).eval()
    prior = ours.head["classification_head"].cls_logits.bias
    assert torch.allclose(theirs.head.classification_head.cls_logits.bias, prior)
    with torch.no_grad():
        ours.head["regression_head"].bbox_reg.weight.normal_(std=0.02)
    spread_scores(ours, PICTURE, config)
    theirs.load_state_dict(ours.state_dict())  # strict
    _same_anchors(theirs, config)
    _same_detections(theirs, ours, config)
    _same_losses(theirs, ours, config)


def _same_anchors(theirs, config: Config) -> None:
    maps = [torch.zeros(1, 1, *grid) for grid in make_anchors(config.anchors, 96, 128).grids]
    found = theirs.anchor_generator(ImageList(torch.zeros(1, 3, 96, 128), [(96, 128)]), maps)[0]
    assert torch.equal(found, make_anchors(config.anchors, 96, 128).boxes)


def _same_detections(theirs, ours, config: Config) -> None:
    with torch.inference_mode():
        expected, found = theirs([PICTURE])[0], detect(ours, [PICTURE], config)[0]
    assert len(found.labels) == len(expected["labels"])
    assert torch.allclose(found.boxes, expected["boxes"], atol=1e-3)
    assert torch.allclose(found.scores, expected["scores"], atol=1e-5)


def _same_losses(theirs, ours, config: Config) -> None:
    image = torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(2))
    boxes, labels = torch.tensor([[8.0, 8, 60, 50], [70, 20, 90, 44]]), torch.tensor([2, 0])
    sample = Sample(image, boxes, labels, torch.zeros(2, dtype=torch.bool), 0)
    batch = prepare([image], config.inference)
    losses = total_loss(batch_losses(ours(batch.pixels), batch, [sample], config), config.loss)
    theirs.head.train(), theirs.backbone.eval()
    theirs.training = theirs.transform.training = True  # the losses, with the running statistics of the norms
    expected = theirs([image], [{"boxes": boxes, "labels": labels}])
    assert losses.classification.item() == pytest.approx(expected["classification"].item(), rel=1e-4)
    assert losses.box.item() == pytest.approx(expected["bbox_regression"].item(), rel=1e-4)


def test_json_and_command_contain_the_settings(monkeypatch):
    config = Config.from_flat({"loss.gamma": 1.5, "anchors.ratios": (0.5, 1.0), "matching.force_best_match": False})
    assert Config.from_json(to_json(config, 6)) == config
    words = shlex.split(to_command(config, 6).replace("\\\n", ""))
    assert words[:3] == ["python", "-m", "core"]
    options = main.parse(words[3:])
    assert running.build_config(options) == config


DETECTRON2 = """MODEL.META_ARCHITECTURE MODEL.BACKBONE.NAME MODEL.BACKBONE.FREEZE_AT MODEL.RESNETS.DEPTH
MODEL.RESNETS.RES2_OUT_CHANNELS MODEL.RESNETS.OUT_FEATURES MODEL.RESNETS.NORM MODEL.RESNETS.STRIDE_IN_1X1
MODEL.FPN.IN_FEATURES MODEL.FPN.OUT_CHANNELS MODEL.ANCHOR_GENERATOR.SIZES MODEL.ANCHOR_GENERATOR.ASPECT_RATIOS
MODEL.RETINANET.NUM_CLASSES MODEL.RETINANET.NUM_CONVS MODEL.RETINANET.NORM MODEL.RETINANET.PRIOR_PROB
MODEL.RETINANET.IOU_THRESHOLDS MODEL.RETINANET.IOU_LABELS MODEL.RETINANET.FOCAL_LOSS_ALPHA
MODEL.RETINANET.FOCAL_LOSS_GAMMA MODEL.RETINANET.BBOX_REG_LOSS_TYPE MODEL.RETINANET.SMOOTH_L1_LOSS_BETA
MODEL.RETINANET.SCORE_THRESH_TEST MODEL.RETINANET.TOPK_CANDIDATES_TEST MODEL.RETINANET.NMS_THRESH_TEST
TEST.DETECTIONS_PER_IMAGE INPUT.MIN_SIZE_TRAIN INPUT.MIN_SIZE_TEST INPUT.MAX_SIZE_TRAIN INPUT.MAX_SIZE_TEST
MODEL.PIXEL_MEAN MODEL.PIXEL_STD INPUT.FORMAT INPUT.RANDOM_FLIP INPUT.CROP.ENABLED DATALOADER.FILTER_EMPTY_ANNOTATIONS
SOLVER.CLIP_GRADIENTS.ENABLED SOLVER.AMP.ENABLED SOLVER.WEIGHT_DECAY_NORM SOLVER.WEIGHT_DECAY_BIAS
SOLVER.WARMUP_FACTOR TEST.EVAL_PERIOD
SOLVER.IMS_PER_BATCH SOLVER.MAX_ITER SOLVER.BASE_LR SOLVER.MOMENTUM SOLVER.WEIGHT_DECAY SOLVER.WARMUP_ITERS
SOLVER.LR_SCHEDULER_NAME SOLVER.STEPS SOLVER.GAMMA SEED DATALOADER.SAMPLER_TRAIN DATALOADER.REPEAT_THRESHOLD"""


def test_detectron2_has_every_name():
    """The names are those of detectron2/config/defaults.py."""
    changed = {"loss.box_loss": "l1", "model.batch_norm": "frozen", "training.schedule": "multi_step"}
    values = build_detectron2_config(Config.from_flat({**changed, "training.sampler": "repeat_factor"}), 20)
    assert set(values) == set(DETECTRON2.split())
    assert values["MODEL.RETINANET.NUM_CLASSES"] == 20 and values["MODEL.RETINANET.SMOOTH_L1_LOSS_BETA"] == 0.0
    assert values["MODEL.RESNETS.NORM"] == "FrozenBN" and values["MODEL.RETINANET.IOU_THRESHOLDS"] == [0.4, 0.5]
    assert values["INPUT.FORMAT"] == "RGB" and values["MODEL.PIXEL_MEAN"] == [123.675, 116.28, 103.53]
    assert values["MODEL.PIXEL_STD"] == [58.395, 57.12, 57.375] and values["INPUT.RANDOM_FLIP"] == "horizontal"
    assert len(values["MODEL.ANCHOR_GENERATOR.SIZES"]) == 5 and len(values["MODEL.ANCHOR_GENERATOR.SIZES"][0]) == 3


MMDETECTION = {  # arguments of each type, from mmdetection 3's documentation; onedl-mmdetection 3.5.1 has them, too
    "RetinaNet": "data_preprocessor backbone neck bbox_head train_cfg test_cfg",
    "DetDataPreprocessor": "mean std bgr_to_rgb pad_size_divisor",
    "ResNet": "depth num_stages out_indices frozen_stages norm_cfg norm_eval style",
    "BN": "eps requires_grad",
    "GN": "num_groups",
    "FPN": "in_channels out_channels start_level add_extra_convs relu_before_extra_convs num_outs",
    "RetinaHead": "num_classes in_channels stacked_convs feat_channels norm_cfg anchor_generator bbox_coder "
    "reg_decoded_bbox loss_cls loss_bbox init_cfg",
    "AnchorGenerator": "base_sizes scales ratios strides",
    "DeltaXYWHBBoxCoder": "target_means target_stds",
    "FocalLoss": "use_sigmoid gamma alpha loss_weight",
    "CrossEntropyLoss": "use_sigmoid loss_weight",
    "SmoothL1Loss": "beta loss_weight",
    "L1Loss": "loss_weight",
    "GIoULoss": "loss_weight",
    "Normal": "layer std override name bias_prob",
    "MaxIoUAssigner": "pos_iou_thr neg_iou_thr min_pos_iou match_low_quality ignore_iof_thr",
    "PseudoSampler": "",
    "nms": "iou_threshold class_agnostic",
    "soft_nms": "iou_threshold method sigma class_agnostic",
    "LoadImageFromFile": "",
    "LoadAnnotations": "with_bbox",
    "Resize": "scale keep_ratio",
    "RandomFlip": "prob",
    "PackDetInputs": "meta_keys",
    "OptimWrapper": "optimizer paramwise_cfg clip_grad",
    "AmpOptimWrapper": "dtype loss_scale optimizer paramwise_cfg clip_grad",
    "AdamW": "lr weight_decay betas",
    "SGD": "lr weight_decay momentum",
    "LinearLR": "start_factor by_epoch begin end",
    "CosineAnnealingLR": "T_max eta_min by_epoch begin end",
    "MultiStepLR": "milestones gamma by_epoch begin end",
    "StepLR": "step_size gamma by_epoch begin end",
    "ExponentialLR": "gamma by_epoch begin end",
    "IterBasedTrainLoop": "max_iters val_interval",
    "EMAHook": "momentum update_buffers",
}


MMDETECTION_CASES = {
    "defaults": {"training.ema_decay": 0.99, "training.warmup_steps": 0},
    "narrow": {"training.schedule": "step", "training.clip_norm": 0},
    "deep heads": {"training.schedule": "exponential", "training.eval_interval": 0},
    "no head": {"training.schedule": "multi_step", "training.optimizer": "sgd"},
    "plain": {"inference.nms_kind": "soft", "training.precision": "bf16", "training.schedule": "constant"},
}


@pytest.mark.parametrize("case", CASES)
def test_mmdetection_has_every_name(case):
    config = Config.from_flat({**CASES[case], **MMDETECTION_CASES.get(case, {})})
    seen = []

    def check(value: object) -> None:
        if isinstance(value, list):
            for each in value:
                check(each)
        elif isinstance(value, dict):
            if "type" in value:
                seen.append(value["type"])
                assert set(value) - {"type"} <= set(MMDETECTION[value["type"]].split()), value["type"]
            for each in value.values():
                check(each)

    file = build_mmdetection_config(config, 5)
    check(file)
    model = file["model"]
    assert {"RetinaNet", "RetinaHead", "AnchorGenerator", "MaxIoUAssigner"} <= set(seen)
    assert model["bbox_head"]["num_classes"] == 5 and model["backbone"]["frozen_stages"] == -1


def test_code_for_mmdetection_fits_its_living_fork():
    """Forks that keep the import names find all types in the scope mmdet, whatever the data set's own file says."""
    text = FORMATS["mmdetection 3"](Config(), 6)
    names: dict[str, object] = {}
    exec(compile(text, "config.py", "exec"), names)
    assert names["default_scope"] == "mmdet"
    for package in ("onedl-mmdetection", "onedl-mmengine", "onedl-mmcv", "visdet"):
        assert package in text
    assert "import" not in text.replace("imported", "")  # nothing that a fork could have renamed
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("form", ["torchvision", "detectron2", "mmdetection 3"])
@pytest.mark.parametrize("kind", ["ohem", "cutoff", "poly1_focal", "quality_focal", "varifocal", "ghm"])
def test_code_is_valid_and_names_unsupported_settings(form, kind):
    config = Config.from_flat({"loss.kind": kind, "loss.normaliser": "moving_average"})
    text = FORMATS[form](config, 4)
    ast.parse(text)
    assert f"loss.kind = {kind} ({knobs()['loss.kind'].label})" in text
    assert ("loss.normaliser" in text) == (form != "detectron2")


FRAMEWORKS = ("torchvision", "detectron2", "mmdetection 3")
# Each is active only beside another value than the default one of the second.
BESIDE = {
    "model.heads": {"model.weights": "coco"},
    "matching.atss_topk": {"matching.assigner": "atss"},
    "loss.poly1_epsilon": {"loss.kind": "poly1_focal"},
    "loss.quality_beta": {"loss.kind": "quality_focal"},
    "loss.varifocal_alpha": {"loss.kind": "varifocal"},
    "loss.ghm_bins": {"loss.kind": "ghm"},
    "loss.ghm_momentum": {"loss.kind": "ghm"},
    "loss.cutoff": {"loss.kind": "cutoff"},
    "loss.ohem_anchors": {"loss.kind": "ohem"},
    "loss.ohem_nms_threshold": {"loss.kind": "ohem"},
    "loss.ohem_one_to_three": {"loss.kind": "ohem"},
    "loss.class_weights_beta": {"loss.class_weights": "effective_number"},
    "inference.tile_overlap": {"inference.tile_size": 256},
    "inference.soft_nms_sigma": {"inference.nms_kind": "soft"},
    "training.decay_factor": {"training.schedule": "cyclic"},
    "training.decay_period": {"training.schedule": "plateau"},
    "training.milestones": {"training.schedule": "multi_step"},
    "training.cache_features": {"model.freeze_stages": 5},
    "training.repeat_threshold": {"training.sampler": "repeat_factor"},
}
OTHERS = {
    "bool": [True, False],
    "int": [1, 3, 64, 96],
    "float": [0.2, 0.4, 0.7, 4.5, 30, 300],
    "list": [(0.5,), (0.5, 1.0)],
    "text": ["coco"],
}


def another(path: str) -> Config:
    """Returns settings in which one differs from its default, beside which it is active."""
    knob = knobs()[path]
    for value in OTHERS.get(knob.kind, knob.choices):
        try:
            config = Config.from_flat({**BESIDE.get(path, {}), path: value})
        except ConfigError:
            continue
        if value != knob.default:
            return config
    raise AssertionError(f"no other value of {path}")


@pytest.mark.parametrize("form", FRAMEWORKS)
@pytest.mark.parametrize("path", knobs())
def test_every_setting_is_exported_or_named(path, form):
    if (path, form) == ("model.weights", "torchvision"):  # the file with the weights is loaded into its network
        return
    changed, plain = another(path), Config.from_flat(BESIDE.get(path, {}))
    text, plain_text = FORMATS[form](changed, 4), FORMATS[form](plain, 4)
    ast.parse(text)
    assert text != plain_text
    if _code(text) == _code(plain_text) and path not in _named(plain_text):
        assert f"#   {path} = {format_value(changed.to_flat()[path])} ({knobs()[path].label})" in text


def _code(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


NAMED = {  # by hand: the settings of a default run that a framework cannot follow
    "detectron2": "model.weights anchors.convention loss.normaliser training.optimizer training.clip_norm",
    "mmdetection 3": "model.weights anchors.convention loss.normaliser",
    "torchvision": "",
}
ACTIVE = {
    "training.flip_probability": 0.3,
    "training.ema_decay": 0.99,
    "training.colour_jitter": 0.2,
    "training.crop_probability": 0.5,
    "training.scale_jitter": 0.1,
    "training.mosaic_probability": 0.5,
    "training.copy_paste_probability": 0.5,
    "training.clip_norm": 5.0,
}


@pytest.mark.parametrize("form", FRAMEWORKS)
def test_what_a_framework_cannot_follow_is_named_at_the_default_too(form):
    assert _named(FORMATS[form](Config(), 4)) == NAMED[form].split()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("detectron2", ACTIVE.keys()),
        (
            "mmdetection 3",
            {
                "training.colour_jitter",
                "training.crop_probability",
                "training.scale_jitter",
                "training.mosaic_probability",
                "training.copy_paste_probability",
            },
        ),
    ],
)
def test_augmentation_clipping_and_averaging_are_set_or_named(form, expected):
    named = _named(FORMATS[form](Config.from_flat(ACTIVE), 4))
    assert expected <= set(named)
    assert not set(named) & (ACTIVE.keys() - expected)


def _named(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("#   ")]


def test_a_setting_that_a_framework_does_not_read_is_found():
    """A framework that exports one setting lacks all others, those without effect and of the scenes aside."""
    framework = Framework("none", lambda config: config.loss.gamma, {"training.ema_decay": (0.0,)})
    missing = set(find_missing(Config(), framework))
    assert {"loss.alpha", "training.flip_probability", "anchors.scales", "model.weights"} <= missing
    assert not missing & {"loss.gamma", "training.ema_decay", "loss.ohem_anchors", "scenes.noise"}
    assert "scenes.noise" in find_missing(Config.from_flat({"scenes.noise": 0.5}), framework)


def test_the_path_of_the_weights_is_not_revealed():
    config = Config.from_flat({"model.weights": "/home/me/secret/mine.safetensors"})
    assert "#   model.weights = mine.safetensors (Initial weights)" in FORMATS["detectron2"](config, 4)


def test_the_command_names_what_the_weights_would_change():
    config = Config.from_flat({"model.weights": "coco", "inference.image_size": 256, "training.steps": 200})
    assert "--inference.image_size 256" in to_command(config, 91) and "training.steps" not in to_command(config, 91)
    assert "image_size" not in to_command(Config.from_flat({"inference.image_size": 256}), 6)


BY_SETTINGS = [  # what other settings leave idle, whatever the data are
    (path, case) for path in IDLE for case in IDLE[path] if not case.refused and not knobs()[path].acts(case.config)
]


@pytest.mark.slow  # together: there are hundreds
@pytest.mark.parametrize("form", [*FRAMEWORKS, "command line"])
@pytest.mark.parametrize(("path", "case"), BY_SETTINGS, ids=lambda value: str(getattr(value, "settings", value)))
def test_what_has_no_effect_changes_nothing(path, case, form):
    text = FORMATS[form](case.config, 4)
    ast.parse(text if form in FRAMEWORKS else "")
    assert path not in text
    for value in other_values(path, case.config):
        section, name = path.split(".")
        changed = getattr(case.config, section).model_copy(update={name: value})  # unchecked: another may forbid it
        assert FORMATS[form](case.config.model_copy(update={section: changed}), 4) == text


@pytest.mark.parametrize(("path", "case"), BY_SETTINGS, ids=lambda value: str(getattr(value, "settings", value)))
def test_settings_without_effect_are_reset_and_the_same_ones_act(path, case):
    config, reset = case.config, reset_idle(case.config)
    acting, values = [other for other in knobs() if acts(config, other)], config.to_flat()
    assert [other for other in knobs() if acts(reset, other)] == acting
    assert {other: reset.to_flat()[other] for other in acting} == {other: values[other] for other in acting}
    assert reset.to_flat()[path] == knobs()[path].default


ATSS = {"matching.assigner": "atss"}
NO_BOX_LOSS = {"loss.box_weight": 0}
NO_DROP = {"training.decay_factor": 1}
LEFT_OUT = [  # a setting, others beside which it has no effect, and the frameworks' own names of it
    ("loss.alpha", {"loss.kind": "cross_entropy"}, "0.77"),
    ("loss.smooth_l1_beta", {"loss.box_loss": "giou"}, "SMOOTH_L1_LOSS_BETA cnf= 'beta'"),
    ("loss.smooth_l1_beta", NO_BOX_LOSS, "SMOOTH_L1_LOSS_BETA cnf= 'beta'"),
    ("loss.box_loss", NO_BOX_LOSS, "BBOX_REG_LOSS_TYPE _loss_type GIoU SmoothL1"),
    ("matching.fg_iou_threshold", ATSS, "IOU_THRESHOLDS fg_iou_thresh 0.77"),
    ("matching.bg_iou_threshold", {"matching.assigner": "simota"}, "IOU_THRESHOLDS IOU_LABELS bg_iou_thresh 0.37"),
    ("matching.force_best_match", ATSS, "allow_low_quality_matches match_low_quality"),
    ("inference.nms_threshold", {"inference.nms_kind": "soft"}, "NMS_THRESH_TEST nms_thresh 0.77"),
    ("model.batch_norm", {"model.freeze_stages": 5}, "RESNETS.NORM requires_grad norm_eval"),
    ("model.head_norm", {"model.num_convs": 0}, "RETINANET.NORM GroupNorm 'GN'"),
    ("model.head_groups", {"model.head_norm": "none"}, "GroupNorm 'GN'"),
    ("training.momentum", {"training.optimizer": "adagrad"}, "SOLVER.MOMENTUM momentum 0.77"),
    ("training.decay_factor", {"training.schedule": "cosine"}, "SOLVER.GAMMA 0.77"),
    ("training.decay_period", {"training.schedule": "step", **NO_DROP}, "'StepLR' step_size 154"),
    ("training.milestones", {"training.schedule": "cosine"}, "0.77 154"),
    ("training.milestones", {"training.schedule": "multi_step", **NO_DROP}, "'MultiStepLR' SOLVER.GAMMA 0.77 154"),
    ("training.warmup_steps", {"training.learning_rate": 0}, "LinearLR WARMUP"),
    ("training.clip_norm", {"training.learning_rate": 0}, "max_norm"),
    ("training.eval_interval", {"training.steps": 1}, "EVAL_PERIOD"),
    ("loss.ohem_anchors", {}, "ohem"),
]
OTHER = {
    "loss.box_loss": "giou",
    "loss.ohem_anchors": 77,
    "matching.bg_iou_threshold": 0.37,
    "matching.force_best_match": False,
    "model.batch_norm": "frozen",
    "model.head_groups": 4,
    "model.head_norm": "none",
    "training.clip_norm": 77,
    "training.eval_interval": 77,
    "training.milestones": (0.77,),
    "training.warmup_steps": 77,
}


@pytest.mark.parametrize("form", [*FRAMEWORKS, "command line"])
@pytest.mark.parametrize(("path", "beside", "words"), LEFT_OUT)
def test_what_has_no_effect_is_left_out(path, beside, words, form):
    text = FORMATS[form](Config.from_flat({**beside, path: OTHER.get(path, 0.77)}), 4)
    assert path not in text
    assert not [word for word in words.split(" ") if word in text]


def test_a_framework_that_needs_thresholds_has_the_default_ones_beside_another_assigner():
    """RetinaHead of mmdetection assigns by IoU alone, with thresholds without defaults; the comment names the rest."""
    idle = {"matching.fg_iou_threshold": 0.9, "matching.bg_iou_threshold": 0.1}
    config = Config.from_flat({"matching.assigner": "atss", **idle})
    assigner = build_mmdetection_config(config, 4)["model"]["train_cfg"]["assigner"]
    assert assigner["type"] == "MaxIoUAssigner"
    assert assigner["pos_iou_thr"] == 0.5 and assigner["neg_iou_thr"] == 0.4
    assert _named(FORMATS["mmdetection 3"](config, 4)).count("matching.assigner") == 1


def test_where_every_anchor_is_foreground_mmdetection_forces_none():
    """Its assigner would give the best anchor of each object to that one even then; ours leaves each at its best."""
    config = Config.from_flat({"matching.fg_iou_threshold": 0, "matching.bg_iou_threshold": 0})
    assigner = build_mmdetection_config(config, 4)["model"]["train_cfg"]["assigner"]
    assert assigner["match_low_quality"] is False and config.matching.force_best_match


def test_a_box_loss_of_weight_0_stays_off():
    """mmdetection would have one of its own instead of a missing one."""
    head = build_mmdetection_config(Config.from_flat({"loss.box_weight": 0, "loss.box_loss": "giou"}), 4)["model"]
    assert head["bbox_head"]["loss_bbox"] == {"type": "L1Loss", "loss_weight": 0.0}
    assert not head["bbox_head"]["reg_decoded_bbox"]


def test_what_has_an_effect_under_another_name_stays():
    """detectron2 has no L1 loss of its own, and drops the rate at steps of its own unless there are none."""
    values = build_detectron2_config(Config.from_flat({"loss.box_loss": "l1", "training.schedule": "constant"}), 4)
    assert values["MODEL.RETINANET.SMOOTH_L1_LOSS_BETA"] == 0 and values["SOLVER.STEPS"] == ()

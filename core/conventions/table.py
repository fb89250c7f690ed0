"""The conventions in which implementations of RetinaNet differ, and where each framework's code says so.

A file is named from the root of its repository: torchvision 0.29, detectron2 0.6 and its main branch, MMDetection 3.3,
and its fork onedl-mmdetection 3.5, which changed none of these.
"""

from types import MappingProxyType

from core.conventions.convention import DETECTRON2, MMDETECTION, TORCHVISION, Convention, Practice


def _convention(
    key: str,
    title: str,
    torchvision: Practice,
    detectron2: Practice,
    mmdetection: Practice,
    told: str = "",
    min_depth: int = 0,
) -> Convention:
    practices = {TORCHVISION: torchvision, DETECTRON2: detectron2, MMDETECTION: mmdetection}
    return Convention(key, title, MappingProxyType(practices), told, min_depth)


_TV_ANCHORS = "torchvision/models/detection/anchor_utils.py: AnchorGenerator"
_TV_RETINANET = "torchvision/models/detection/retinanet.py: RetinaNet"
_D2_ANCHORS = "detectron2/modeling/anchor_generator.py: DefaultAnchorGenerator"
_D2_RETINANET = "detectron2/modeling/meta_arch/retinanet.py: RetinaNet"
_MM_ANCHORS = "mmdet/models/task_modules/prior_generators/anchor_generator.py: AnchorGenerator"
_MM_BASE = "configs/_base_/models/retinanet_r50_fpn.py"

CONVENTIONS = (
    _convention(
        "anchors",
        "Anchor arithmetic",
        Practice(
            "sizes are whole numbers, corners are rounded, a stride is the picture's side over the grid's, rounded "
            "down",
            f"{_TV_ANCHORS}.generate_anchors and .forward",
            {"anchors.convention": "torchvision"},
        ),
        Practice(
            "fractions are kept, strides are 8 … 128",
            f"{_D2_ANCHORS}.generate_cell_anchors",
            {"anchors.convention": "exact"},
        ),
        Practice(
            "fractions are kept, strides are 8 … 128",
            f"{_MM_ANCHORS}.gen_single_level_base_anchors",
            {"anchors.convention": "exact"},
        ),
    ),
    _convention(
        "order",
        "Order of a location's anchors",
        Practice("by ratio, then by size", f"{_TV_ANCHORS}.generate_anchors"),
        Practice("by size, then by ratio", f"{_D2_ANCHORS}.generate_cell_anchors", rules={"by_size": True}),
        Practice("by ratio, then by size", f"{_MM_ANCHORS}.gen_single_level_base_anchors (scale_major)"),
    ),
    _convention(
        "offset",
        "Centre of the first anchor",
        Practice("the picture's corner", f"{_TV_ANCHORS}.grid_anchors"),
        Practice(
            "the picture's corner; half a stride inside if the class is used without its configuration",
            "detectron2/config/defaults.py: MODEL.ANCHOR_GENERATOR.OFFSET (the class itself: 0.5)",
        ),
        Practice("the picture's corner", f"{_MM_ANCHORS} (center_offset)"),
    ),
    _convention(
        "p6",
        "Source of P6",
        Practice(
            "P5 in the first network (v1), C5 in the second (v2)",
            "torchvision/ops/feature_pyramid_network.py: LastLevelP6P7",
            accepts={"model.p6_source": ("c5", "p5")},
        ),
        Practice(
            "C5",
            "detectron2/modeling/backbone/fpn.py: build_retinanet_resnet_fpn_backbone",
            accepts={"model.p6_source": ("c5",)},
        ),
        Practice(
            "C5 (on_input); P5 (on_output) if the configuration says so",
            f"{_MM_BASE}; mmdet/models/necks/fpn.py: FPN",
            accepts={"model.p6_source": ("c5", "p5")},
        ),
    ),
    _convention(
        "p7",
        "Source of P7",
        Practice("the rectified P6", "torchvision/ops/feature_pyramid_network.py: LastLevelP6P7.forward"),
        Practice("the rectified P6", "detectron2/modeling/backbone/fpn.py: LastLevelP6P7.forward"),
        Practice(
            "P6 as it is, unless the configuration says otherwise",
            "mmdet/models/necks/fpn.py: FPN (relu_before_extra_convs)",
            rules={"relu_before_p7": False},
        ),
    ),
    _convention(
        "log_sizes",
        "Bounds of predicted log sizes",
        Practice("log(1000/16) from above", "torchvision/models/detection/_utils.py: BoxCoder.decode_single"),
        Practice("log(1000/16) from above", "detectron2/modeling/box_regression.py: Box2BoxTransform.apply_deltas"),
        Practice(
            "log(1000/16) from above and from below",
            "mmdet/models/task_modules/coders/delta_xywh_bbox_coder.py: delta2bbox (wh_ratio_clip)",
            rules={"bounds_shrinking": True},
        ),
    ),
    _convention(
        "clipping",
        "Clipping to the picture",
        Practice("before NMS", f"{_TV_RETINANET}.postprocess_detections"),
        Practice(
            "after NMS, which compares whole boxes; empty ones are dropped",
            f"{_D2_RETINANET}.inference_single_image; detectron2/modeling/postprocessing.py: detector_postprocess",
            rules={"clipping": "after, without empty"},
        ),
        Practice(
            "before NMS; empty ones are dropped",
            "mmdet/models/dense_heads/base_dense_head.py: BaseDenseHead._bbox_post_process (min_bbox_size)",
            rules={"clipping": "before, without empty"},
        ),
    ),
    _convention(
        "cap",
        "Detections of a picture",
        Practice("300", f"{_TV_RETINANET} (detections_per_img)", {"inference.max_detections": 300}),
        Practice("100", "detectron2/config/defaults.py: TEST.DETECTIONS_PER_IMAGE", {"inference.max_detections": 100}),
        Practice("100", f"{_MM_BASE}: max_per_img", {"inference.max_detections": 100}),
    ),
    _convention(
        "forced",
        "Forced (low-quality) matches",
        Practice(
            "the anchors with an object's highest IoU, for the object that they overlap most; even if that IoU is 0",
            "torchvision/models/detection/_utils.py: Matcher.set_low_quality_matches_",
            {"matching.force_best_match": True},
            {"forcing": "any"},
        ),
        Practice(
            "the anchors with an object's highest IoU, for the object that they overlap most; even if that IoU is 0",
            "detectron2/modeling/matcher.py: Matcher.set_low_quality_matches_",
            {"matching.force_best_match": True},
            {"forcing": "any"},
        ),
        Practice(
            "the anchors with an object's highest IoU, for that object, even if they overlap another more, and even if "
            "that IoU is 0",
            "mmdet/models/task_modules/assigners/max_iou_assigner.py: MaxIoUAssigner.assign_wrt_overlaps, step 4",
            {"matching.force_best_match": True},
            {"forcing": "object"},
        ),
    ),
    _convention(
        "normaliser",
        "The loss is divided by",
        Practice(
            "each picture's foreground anchors",
            "torchvision/models/detection/retinanet.py: RetinaNetClassificationHead.compute_loss",
            {"loss.normaliser": "image"},
        ),
        Practice(
            "a moving average of the batches' foreground anchors that starts at 100; here after one step",
            f"{_D2_RETINANET}.losses (loss_normalizer)",
            {"loss.normaliser": "moving_average"},
        ),
        Practice(
            "the batch's foreground anchors",
            "mmdet/models/dense_heads/anchor_head.py: AnchorHead.loss_by_feat (avg_factor)",
            {"loss.normaliser": "batch"},
        ),
    ),
    _convention(
        "box_loss",
        "Box loss",
        Practice(
            "L1 (v1; GIoU in v2)",
            "torchvision/models/detection/retinanet.py: RetinaNetRegressionHead (_loss_type)",
            {"loss.box_loss": "l1", "loss.box_weight": 1.0},
        ),
        Practice(
            "L1 (smooth L1 with β = 0)",
            "configs/Base-RetinaNet.yaml: SMOOTH_L1_LOSS_BETA",
            {"loss.box_loss": "l1", "loss.box_weight": 1.0},
        ),
        Practice("L1", f"{_MM_BASE}: loss_bbox", {"loss.box_loss": "l1", "loss.box_weight": 1.0}),
    ),
    _convention(
        "classes",
        "Number of the first class",
        Practice(
            "1 in its own data sets and weights; output 0 is a background that is never taught, so that COCO has 91",
            f"{_TV_RETINANET} (num_classes); references/detection/coco_utils.py",
        ),
        Practice("0; background is K, and has no output", f"{_D2_RETINANET}.label_anchors", as_here=True),
        Practice(
            "0; background is K, and has no output", "mmdet/models/dense_heads/anchor_head.py: AnchorHead", as_here=True
        ),
        "an output is the same whatever it is called: weights with a list of names that begins with a background where "
        "none was taught, or the reverse, name every box by its neighbour",
    ),
    _convention(
        "pixels",
        "Pixels of the input",
        Practice(
            "RGB from 0 to 1, less ImageNet's mean, over its deviation",
            "torchvision/models/detection/transform.py: GeneralizedRCNNTransform.normalize",
            as_here=True,
        ),
        Practice(
            "BGR from 0 to 255 less the mean, not divided, unless the configuration says otherwise",
            "detectron2/config/defaults.py: INPUT.FORMAT, MODEL.PIXEL_STD",
        ),
        Practice(
            "RGB from 0 to 255, less ImageNet's mean, over its deviation",
            f"{_MM_BASE}: data_preprocessor",
            as_here=True,
        ),
        "it needs another pass of the network: weights from detectron2's model zoo see wrong colours here",
    ),
    _convention(
        "stride",
        "Stride of a bottleneck",
        Practice(
            "in the 3×3 convolution",
            "torchvision/models/resnet.py: Bottleneck",
            as_here=True,
        ),
        Practice(
            "in the first 1×1 convolution, as in its own ResNet-50 and ResNet-101, unless the configuration says "
            "otherwise",
            "detectron2/config/defaults.py: MODEL.RESNETS.STRIDE_IN_1X1",
        ),
        Practice(
            "in the 3×3 convolution; with style caffe in the first 1×1 convolution",
            "mmdet/models/backbones/resnet.py: Bottleneck",
        ),
        "no setting here moves it: weights with the stride in the first convolution load, and find other things",
        min_depth=50,
    ),
    _convention(
        "resizing",
        "Resizing of the picture",
        Practice(
            "bilinear, without averaging when it shrinks; sides rounded down",
            "torchvision/models/detection/transform.py: _resize_image_and_masks",
            as_here=True,
        ),
        Practice(
            "bilinear of Pillow, which averages when it shrinks; sides rounded",
            "detectron2/data/transforms/augmentation_impl.py: ResizeShortestEdge",
        ),
        Practice(
            "bilinear of OpenCV, without averaging; sides rounded", "mmdet/datasets/transforms/transforms.py: Resize"
        ),
        "it needs another pass of the network; scores differ a little where a picture is made smaller",
    ),
)

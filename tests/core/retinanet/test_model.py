from functools import partial

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.detection import (
    RetinaNet as TorchvisionRetinaNet,
    retinanet_resnet50_fpn,
    retinanet_resnet50_fpn_v2,
)
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from core.analysis.model_costs import count_network_parameters, count_parameters, estimate_costs
from core.config import Inference, Model
from core.retinanet.backbone import NORM_EPS
from core.retinanet.heads import flatten_maps
from core.retinanet.model import build_model, freeze
from core.retinanet.preprocess import prepare

K, A = 3, 9
SHAPE = {"num_classes": K, "anchors_per_location": A}
SMALL = Model(depth=18, fpn_channels=32, num_convs=1)
V1 = Model(depth=50, fpn_channels=256, num_convs=4, head_norm="none", p6_source="p5")
V2 = Model(depth=50, fpn_channels=256, num_convs=4, head_norm="group", p6_source="c5")
BATCHES = ([(80, 57)], [(1, 1), (33, 100), (70, 30)])


def tiny(model=SMALL, **others):
    return build_model(model, num_classes=K, anchors_per_location=A, **others)


def spread_out(network):
    """Sets weights and statistics as different from the initial ones as those of a trained network."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.weight.data.uniform_(0.2, 0.7, generator=generator)
            module.bias.data.uniform_(-0.1, 0.1, generator=generator)
        elif isinstance(module, nn.GroupNorm):
            module.weight.data.uniform_(0.5, 2, generator=generator)
            module.bias.data.uniform_(-0.5, 0.5, generator=generator)
    for name, parameter in network.head.named_parameters():
        if parameter.dim() == 4:
            fan_in = parameter[0].numel()
            parameter.data.normal_(std=(2 / fan_in) ** 0.5, generator=generator)
        elif name.endswith(("cls_logits.bias", "bbox_reg.bias")):
            parameter.data.uniform_(-3, 1, generator=generator)
    return network.eval()


def torchvision_resnet18():
    body = torchvision.models.resnet18()
    returned = {"layer2": "0", "layer3": "1", "layer4": "2"}
    backbone = BackboneWithFPN(body, returned, [128, 256, 512], 64, extra_blocks=LastLevelP6P7(512, 64))
    anchors = AnchorGenerator(((16, 20), (32, 40), (64, 80), (128, 160), (256, 320)), ((0.5, 1.0, 2.0),) * 5)
    head = RetinaNetHead(64, 6, K, norm_layer=partial(nn.GroupNorm, 32))
    return TorchvisionRetinaNet(backbone, K, anchor_generator=anchors, head=head)


def resnet50_reference(version):
    make = {1: retinanet_resnet50_fpn, 2: retinanet_resnet50_fpn_v2}[version]
    return make(weights=None, weights_backbone=None, num_classes=K)


REFERENCES = {
    "v1": (partial(resnet50_reference, 1), V1, 9),
    "v2": (partial(resnet50_reference, 2), V2, 9),
    "resnet18": (torchvision_resnet18, Model(depth=18, fpn_channels=64, head_norm="group"), 6),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
@torch.no_grad()
def test_predicts_what_torchvision_predicts(name):
    make, model, anchors = REFERENCES[name]
    theirs = spread_out(make())
    ours = build_model(model, num_classes=K, anchors_per_location=anchors).eval()
    ours.load_state_dict(theirs.state_dict())  # strict, both ways
    theirs.load_state_dict(ours.state_dict())
    theirs.transform.min_size, theirs.transform.max_size = (64,), 128
    for shapes in BATCHES:
        images = [torch.randint(0, 256, (3, *shape), dtype=torch.uint8) for shape in shapes]
        batch = prepare(images, Inference(image_size=64, max_image_size=128))
        pixels = theirs.transform([image / 255 for image in images])[0].tensors
        levels = list(theirs.backbone(pixels).values())
        expected = theirs.head(levels)
        outputs = ours(batch.pixels)
        assert outputs.logits.std() > 0.5  # else equality would prove little
        torch.testing.assert_close(outputs.logits, expected["cls_logits"], atol=1e-4, rtol=0)
        torch.testing.assert_close(outputs.deltas, expected["bbox_regression"], atol=1e-4, rtol=0)
        assert outputs.grids == tuple(tuple(level.shape[2:]) for level in levels)


def shapes_of(network):
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_state_dict_is_torchvisions(name):
    make, model, anchors = REFERENCES[name]
    with torch.device("meta"):
        assert shapes_of(build_model(model, num_classes=K, anchors_per_location=anchors)) == shapes_of(make())


@pytest.mark.slow
@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_every_depth_has_the_strides_of_the_paper(depth):
    with torch.device("meta"), torch.no_grad():
        network = tiny(Model(depth=depth, fpn_channels=32, num_convs=0)).eval()
        pyramid = network.pyramid(torch.empty(2, 3, 256, 384))
    assert [each.shape[-2:] for each in pyramid.body] == [(32, 48), (16, 24), (8, 12)]
    assert [each.shape for each in pyramid.levels] == [
        (2, 32, height, width) for height, width in [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
    ]


def test_outputs_have_one_row_per_anchor():
    outputs = tiny().eval()(torch.zeros(2, 3, 64, 96))
    assert outputs.grids == ((8, 12), (4, 6), (2, 3), (1, 2), (1, 1))
    anchors = sum(height * width for height, width in outputs.grids) * A
    assert outputs.logits.shape == (2, anchors, K)
    assert outputs.deltas.shape == (2, anchors, 4)


def test_rows_run_along_the_row_with_the_anchor_last():
    # [1, A·width = 4, 1, 2]: channel = anchor · 2 + value, and each entry is 10 · channel + column
    maps = torch.tensor([[[[0, 1]], [[10, 11]], [[20, 21]], [[30, 31]]]])
    assert flatten_maps(maps, width=2).tolist() == [[[0, 10], [20, 30], [1, 11], [21, 31]]]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["c5", "p5"])
def test_p6_comes_from_the_chosen_map_even_when_widths_agree(source):
    network = tiny(Model(depth=18, fpn_channels=512, num_convs=0, p6_source=source)).eval()
    with torch.no_grad():
        pyramid = network.pyramid(torch.rand(1, 3, 64, 64))
        expected = network.backbone.fpn.extra_blocks.p6(pyramid.body[2] if source == "c5" else pyramid.levels[2])
    assert torch.equal(pyramid.levels[3], expected)


def test_forward_is_built_on_the_pyramid():
    network = tiny().eval()
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(pixels).logits, network.head["classification_head"](network.pyramid(pixels).levels))


@pytest.mark.slow
@pytest.mark.parametrize("prior", [0.01, 0.5])
def test_every_anchor_starts_with_the_prior(prior):
    network = tiny(Model(depth=18, fpn_channels=64, prior_probability=prior)).eval()
    with torch.no_grad():
        scores = network(torch.zeros(1, 3, 64, 64)).logits.sigmoid()
    torch.testing.assert_close(scores, torch.full_like(scores, prior), atol=prior / 20, rtol=0)


def test_heads_are_initialised_from_a_narrow_normal_distribution():
    network = tiny(Model(depth=18, fpn_channels=128, num_convs=2, head_norm="none"))
    for name, parameter in network.head.named_parameters():
        if parameter.dim() == 4:
            assert parameter.std().item() == pytest.approx(0.01, rel=0.05), name
        elif not name.endswith("cls_logits.bias"):
            assert not parameter.any(), name


def stage_of(name):
    """Returns the stage of a ResNet parameter: "conv1.weight" → 1, "layer3.0.bn1.bias" → 4."""
    return int(name[5]) + 1 if name.startswith("layer") else 1


@pytest.mark.slow
@pytest.mark.parametrize("stages", range(6))
def test_frozen_stages_do_not_train(stages):
    network = tiny()
    freeze(network, stages, batch_norm="live")
    network.train()
    outputs = network(torch.rand(2, 3, 64, 64))
    (outputs.logits.sum() + outputs.deltas.sum()).backward()
    for name, parameter in network.backbone.body.named_parameters():
        assert parameter.requires_grad == (stage_of(name) > stages), name
        assert (parameter.grad is not None) == (stage_of(name) > stages), name
    for name, buffer in network.backbone.body.named_buffers():
        if name.endswith("num_batches_tracked"):
            assert buffer.item() == (stage_of(name) > stages), name


@pytest.mark.slow
def test_frozen_statistics_stay():
    network = tiny()
    freeze(network, 2, batch_norm="live")
    before = {name: value.clone() for name, value in network.backbone.body.named_buffers()}
    network.train()(torch.rand(2, 3, 64, 64))
    for name, value in network.backbone.body.named_buffers():
        assert torch.equal(value, before[name]) == (stage_of(name) <= 2), name


@pytest.mark.slow
def test_graph_does_not_reach_frozen_stages():
    network = tiny()
    freeze(network, 4, batch_norm="live")
    body = network.train().pyramid(torch.rand(2, 3, 64, 64)).body
    assert [each.requires_grad for each in body] == [False, False, True]
    freeze(network, 5, batch_norm="live")
    body = network.pyramid(torch.rand(2, 3, 64, 64)).body
    assert [each.grad_fn for each in body] == [None, None, None]


@pytest.mark.slow
def test_frozen_batch_norm_trains_convolutions_only():
    network = tiny()
    freeze(network, 1, batch_norm="frozen")
    before = {name: value.clone() for name, value in network.backbone.body.named_buffers()}
    network.train()(torch.rand(2, 3, 64, 64)).logits.sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.backbone.body.named_buffers())
    for name, module in network.backbone.body.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            assert not module.training
            assert module.weight.grad is None
            assert module.bias.grad is None
        elif isinstance(module, nn.Conv2d):
            assert (module.weight.grad is not None) == (stage_of(name) > 1), name


def test_frozen_norms_survive_a_change_of_mode_and_thaw_again():
    network = tiny()
    freeze(network, 0, batch_norm="frozen")
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    network.eval().train()
    assert network.training
    assert not any(norm.training for norm in norms)
    freeze(network, 0, batch_norm="live")
    assert all(norm.training for norm in norms)
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize(("stages", "batch_norm", "eps"), [(0, "live", NORM_EPS), (5, "live", 0.0), (0, "frozen", 0.0)])
def test_live_norms_never_divide_by_zero(stages, batch_norm, eps):
    network = tiny(SMALL.model_copy(update={"norm_eps": 0.0}))
    freeze(network, stages, batch_norm=batch_norm)
    assert network.norm_eps == eps
    assert network.train()(torch.rand(2, 3, 64, 64)).logits.isfinite().all()


def test_parts_add_up():
    network = tiny()
    freeze(network, 2, batch_norm="live")
    parts = count_network_parameters(network)
    assert [part.name for part in parts] == [
        "stem", "layer1", "layer2", "layer3", "layer4", "fpn", "class head", "box head",
    ]  # fmt: skip
    assert sum(part.parameters for part in parts) == sum(each.numel() for each in network.parameters())
    assert parts[0].parameters == 64 * 3 * 7 * 7 + 2 * 64
    assert [part.trainable == part.parameters for part in parts] == [False, False] + [True] * 6
    assert parts[0].trainable == 0


@pytest.mark.parametrize(("model", "published"), [(V1, 151.54), (V2, 152.238)])
def test_flops_equal_those_torchvision_publishes(model, published):
    work = estimate_costs(model, num_classes=91, anchors_per_location=9, height=800, width=800, batch_size=1).gflops
    assert work / 2 == pytest.approx(published, abs=0.001)  # torchvision counts a multiply-add as one


@pytest.mark.slow
def test_flops_grow_with_the_image():
    work = {side: estimate_costs(SMALL, **SHAPE, height=side, width=side, batch_size=1).gflops for side in (128, 256)}
    assert work[256] == pytest.approx(4 * work[128], rel=0.02)


@pytest.mark.slow
def test_flops_are_per_image_whatever_the_batch_size():
    assert len({estimate_costs(SMALL, **SHAPE, height=96, width=64, batch_size=batch).gflops for batch in (1, 3)}) == 1


def test_parts_are_counted_without_a_network():
    network = build_model(SMALL, **SHAPE)
    freeze(network, SMALL.freeze_stages, batch_norm=SMALL.batch_norm)
    assert count_parameters(SMALL, **SHAPE) == count_network_parameters(network)


@pytest.mark.slow
def test_narrow_heads_with_group_norm_process_the_smallest_image():
    """With one channel per group, a 1×1 map has nothing to normalise, and PyTorch refuses it."""
    for channels in (32, 64):
        model = build_model(Model(fpn_channels=channels, head_norm="group"), num_classes=2, anchors_per_location=1)
        with torch.no_grad():
            assert model.eval()(torch.rand(1, 3, 32, 32)).logits.isfinite().all()


@pytest.mark.slow
def test_training_memory_counts_what_backward_reads():
    """Only activations grow with the batch; a frozen backbone saves most of them."""
    shape = {**SHAPE, "height": 128, "width": 128}
    one, two = (estimate_costs(SMALL, **shape, batch_size=batch).training_bytes for batch in (1, 2))
    parameters = sum(
        part.parameters for part in count_network_parameters(build_model(SMALL, num_classes=K, anchors_per_location=A))
    )
    activations = two - one
    statistics = one - 16 * parameters - activations  # weights, gradients and two moments, 4 bytes each
    assert 0 <= statistics < 100_000  # of batch norms, one number per channel
    frozen = estimate_costs(SMALL.model_copy(update={"freeze_stages": 5}), **shape, batch_size=1).training_bytes
    assert frozen < one / 2


COUNTED = (
    {},
    {"num_convs": 0, "p6_source": "c5"},
    {"head_norm": "group", "p6_source": "p5", "freeze_stages": 2},
    {"freeze_stages": 5, "fpn_channels": 64},
    {"batch_norm": "live", "num_convs": 1},
    pytest.param({"depth": 50, "batch_norm": "frozen"}, marks=pytest.mark.slow),
)


@pytest.mark.slow
@pytest.mark.parametrize("changes", COUNTED, ids=str)
def test_training_memory_agrees_with_a_real_step(changes):
    """Compares the estimate with the tensors that a real forward pass on the CPU saves."""
    model = SMALL.model_copy(update=changes)
    network = build_model(model, num_classes=K, anchors_per_location=A)
    freeze(network, model.freeze_stages, batch_norm=model.batch_norm)
    network.train()
    own = {parameter.data_ptr() for parameter in network.parameters()}
    saved = {}

    def keep(tensor):
        if tensor.data_ptr() not in own:
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = network(torch.rand(2, 3, 128, 128))
    assert outputs.logits.requires_grad
    counted = estimate_costs(model, **SHAPE, height=128, width=128, batch_size=2).training_bytes
    parameters = sum(parameter.nbytes for parameter in network.parameters())
    trained = sum(parameter.nbytes for parameter in network.parameters() if parameter.requires_grad)
    assert counted - parameters - 3 * trained == pytest.approx(sum(saved.values()), rel=0.02)

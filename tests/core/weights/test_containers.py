"""State dicts inside what training scripts save."""

import zipfile
from argparse import Namespace
from collections import OrderedDict, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from core.retinanet.model import build_model
from core.weights.architecture import WeightsError
from core.weights.containers import find_state
from core.weights.sources import load_weights
from tests.core.networks import CONFIG, make_state, meta_state, old_layout

LIGHTNING = {  # what Lightning 2 saves beside the state dict
    "epoch": 3,
    "global_step": 120,
    "pytorch-lightning_version": "2.4.0",
    "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 4}}}},
    "callbacks": {
        "ModelCheckpoint{'mode': 'min'}": {"best_model_score": torch.tensor(0.5), "best_model_path": "a.ckpt"}
    },
    "optimizer_states": [{"state": {0: {"momentum_buffer": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]}],
    "lr_schedulers": [],
}


@pytest.fixture(scope="module")
def state():
    return make_state()


class Found(NamedTuple):
    """What `find_state` returns, with the names that `Weights` has for it."""

    state: dict
    notes: tuple


def changed(state):
    """Returns a state dict with other floating values."""
    return {key: value + 1 if value.is_floating_point() else value for key, value in state.items()}


def prefixed(state, prefix):
    return {f"{prefix}{key}": value for key, value in state.items()}


def compiled_parts(state):
    """Returns the keys of a network whose backbone and class head were compiled on their own."""
    names = (("backbone.", "backbone._orig_mod."), ("classification_head.", "classification_head._orig_mod."))
    for before, after in names:
        state = {key.replace(before, after): value for key, value in state.items()}
    return state


@pytest.fixture(scope="module")
def small():
    """A small tensor for each key of a network."""
    return {key: torch.tensor([float(index)]) for index, key in enumerate(meta_state(num_convs=1))}


def find(content):
    return Found(*find_state(content, name="net.pth"))


def load(tmp_path, content):
    path = tmp_path / "net.pth"
    torch.save(content, path)
    return load_weights(str(path))


def assert_same(found, state):
    assert found.state.keys() == state.keys()
    assert all(torch.equal(value, found.state[key]) for key, value in state.items())


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "_orig_mod.", "model.", "model.module.", "module._orig_mod.", "_orig_mod.module.", "net.x."],
)
def test_prefixes_of_keys_are_removed(small, prefix):
    found = find(prefixed(small, prefix))
    assert_same(found, small)
    assert not found.notes


@pytest.mark.slow
def test_files_are_opened(state, tmp_path):
    save_file(prefixed(state, "model."), tmp_path / "net.safetensors")
    assert_same(load_weights(str(tmp_path / "net.safetensors")), state)
    options = Namespace(epochs=26, data_path="coco")  # as torchvision's script saves them
    for content in (
        {**LIGHTNING, "state_dict": prefixed(state, "model.")},
        {"model": OrderedDict(state), "args": options, "epoch": 25},
        {"model": old_layout(state)},
    ):
        found = load(tmp_path, content)
        assert_same(found, state)
        assert not found.notes


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"model": state},
        lambda state: {"state_dict": state, "step": 3},
        lambda state: {
            "model_state_dict": state,
            "optimizer_state_dict": {"state": {}, "param_groups": []},
            "loss": 0.5,
        },
        lambda state: {"model": {"state_dict": state}},
        lambda state: {"net": OrderedDict(state)},
        lambda state: {**LIGHTNING, "state_dict": prefixed(state, "model.")},
        lambda state: {**LIGHTNING, "state_dict": prefixed(state, "model._orig_mod.")},
        lambda state: {"ema_state_dict": state},
        lambda state: {"shadow": prefixed(state, "module.")},
        compiled_parts,
    ],
)
def test_containers_are_opened(small, wrap):
    found = find(wrap(small))
    assert_same(found, small)
    assert not found.notes


@pytest.mark.slow
def test_a_network_wrapped_by_pytorch_itself(tmp_path):
    model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    for wrapped in (nn.DataParallel(model), torch.compile(model), AveragedModel(model), nn.Sequential(model)):
        assert_same(load(tmp_path, wrapped.state_dict()), model.state_dict())


@pytest.mark.parametrize(
    ("wrap", "place"),
    [
        (lambda raw, average: {"model": raw, "model_ema": average}, "model_ema"),
        (lambda raw, average: {"state_dict": raw, "state_dict_ema": average}, "state_dict_ema"),
        (lambda raw, average: {"ema": average, "model": raw, "optimizer": {}}, "ema"),
        (lambda raw, average: {"ema_state_dict": average, "model_state_dict": raw}, "ema_state_dict"),
        (lambda raw, average: {"model": raw, "ema": {"decay": 0.999, "shadow": average}}, "ema.shadow"),
        (lambda raw, average: prefixed(raw, "model.") | prefixed(average, "ema_model.module."), "ema_model.module"),
        (
            lambda raw, average: {
                "state_dict": prefixed(raw, "net.")
                | prefixed(average, "second.module.")
                | {"second.n_averaged": torch.tensor(7)}
            },
            "state_dict.second.module",
        ),
        (
            lambda raw, average: {"model": raw, "swa": {"n_averaged": torch.tensor(9), **prefixed(average, "module.")}},
            "swa",
        ),
        (  # Lightning's own weight averaging
            lambda raw, average: {
                "state_dict": prefixed(average, "net."),
                "current_model_state": prefixed(raw, "net."),
                "averaging_state": {"n_averaged": torch.tensor(7)},
            },
            "state_dict.net",
        ),
        (lambda raw, average: prefixed(raw, "online_model.") | prefixed(average, "ema_model."), "ema_model"),
        (lambda raw, average: {**raw, **prefixed(average, "module."), "n_averaged": torch.tensor(7)}, "module"),
    ],
)
def test_an_average_is_preferred_and_said(small, wrap, place):
    found = find(wrap(small, changed(small)))
    assert_same(found, changed(small))
    [note] = found.notes
    assert f"their moving average: the average ({place}" in note


@pytest.mark.parametrize("zero", [0, torch.tensor(0)])
@pytest.mark.parametrize(
    ("wrap", "place"),
    [
        (  # the callback of Lightning, before its first epoch
            lambda raw, first, zero: {
                "state_dict": prefixed(raw, "model."),
                "callbacks": {"SWA": {"n_averaged": zero, "average_model_state": prefixed(first, "model.")}},
            },
            "callbacks.SWA.average_model_state.model",
        ),
        (lambda raw, first, zero: {**raw, **prefixed(first, "ema.module."), "ema.n_averaged": zero}, "ema.module"),
        (
            lambda raw, first, zero: {"model": raw, "swa": {"n_averaged": zero, **prefixed(first, "module.")}},
            "swa.module",
        ),
        (
            lambda raw, first, zero: {
                "state_dict": prefixed(first, "net."),
                "current_model_state": prefixed(raw, "net."),
                "averaging_state": {"n_averaged": zero},
            },
            "state_dict.net",
        ),
    ],
)
def test_an_average_that_was_never_updated_is_not_used(small, wrap, place, zero):
    found = find(wrap(changed(small), small, zero))
    assert_same(found, changed(small))
    assert found.notes == (f"net.pth holds a moving average that was never updated, which is not used: {place}.",)


def test_an_average_that_was_never_updated_is_used_alone(small):
    assert_same(find({"n_averaged": torch.tensor(0), **prefixed(small, "module.")}), small)


def test_lightnings_copy_has_the_batch_statistics_of_the_weights(small):
    copy = {"n_averaged": 3, "average_model_state": prefixed(changed(small), "model.")}
    found = find({"state_dict": prefixed(small, "model."), "callbacks": {"SWA": copy}})
    kept = {key: value for key, value in small.items() if "running" in key or "tracked" in key}
    assert kept and len(found.notes) == 1
    assert_same(found, {**changed(small), **kept})


def test_many_networks_are_not_all_collected(small):
    """Each is looked for among all keys, so that the work would grow with the square of their number."""
    mark = "head.classification_head.cls_logits.weight"
    with pytest.raises(WeightsError, match="holds 10 networks"):
        find({f"a{number}.{mark}": torch.zeros(1) for number in range(2000)})


def test_an_average_without_buffers_takes_them_from_the_weights(small):
    shadow = {key: value for key, value in changed(small).items() if "running" not in key and "layer1" not in key}
    found = find({"model": small, "shadow": shadow})
    assert_same(found, {**small, **shadow})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one, two: prefixed(one, "teacher.") | prefixed(two, "student."),
        lambda one, two: {"model": one, "best": two},
        lambda one, two: {"ema": one, "ema_slow": two},
        lambda one, two: {"model": one, "ema": two, "best": dict(two)},
    ],
)
def test_several_networks_are_refused(small, wrap):
    with pytest.raises(WeightsError, match=r"holds [23] networks \(.*\): save the state dict of one of them"):
        find(wrap(dict(small), changed(small)))


def test_what_is_not_of_the_network_is_left_out_and_said(small):
    others = {"criterion.weight": torch.ones(3), "map.scores": torch.zeros(1), "anchor_generator.0": torch.zeros(9, 4)}
    found = find({"state_dict": prefixed(small, "model.") | others})
    assert_same(found, small)
    assert found.notes == (
        "Entries of net.pth that do not belong to the network are left out: criterion.weight, "
        "map.scores, anchor_generator.0.",
    )


@pytest.mark.slow
def test_unknown_keys_within_the_network_are_refused(state, tmp_path):
    with pytest.raises(WeightsError, match=r"unexpected key head\.mask\.weight"):
        load(tmp_path, prefixed({**state, "head.mask.weight": torch.zeros(1)}, "model."))


def test_dictionaries_that_hold_themselves_end(tmp_path):
    content = {"a": torch.zeros(1)}
    content["model"] = {"inner": content, "model": content}
    with pytest.raises(WeightsError, match="holds more than ordinary tensors"):
        load(tmp_path, content)
    with pytest.raises(WeightsError, match="does not look like a RetinaNet"):
        load(tmp_path, {"head.classification_head.cls_logits.weight": torch.zeros(1)})


@pytest.mark.slow
def test_class_names_are_used_if_there_are_as_many(state, tmp_path):
    found = load(tmp_path, {"state_dict": prefixed(state, "model."), "hyper_parameters": {"label_dict": {"a": 0}}})
    assert found.class_names == ("class 0", "class 1", "class 2") and "classes" in found.assumed
    assert found.notes == (
        f"The class names in {tmp_path / 'net.pth'} (a) do not fit the network's number of classes, 3, and are not "
        "used.",
    )
    names = {"hyper_parameters": {"label_dict": {"a": 0, "c": 2, "b": 1}}}
    found = load(tmp_path, {"state_dict": prefixed(state, "model."), **names})
    assert found.class_names == ("a", "b", "c") and "classes" not in found.assumed
    assert found.notes == (f"The class names come from {tmp_path / 'net.pth'}: a, b, c.",)


def test_numbers_paths_and_times_beside_the_tensors_are_not_read(state, tmp_path):
    others = {
        "best": np.float64(0.5), "epochs": np.int32(7), "curve": np.zeros(3), "passed": np.bool_(True),
        "folder": Path("runs/1"), "time": datetime(2026, 1, 2), "args": Namespace(lr=np.float32(0.1)),
        "took": timedelta(seconds=1), "history": defaultdict(list, {"loss": [0.5]}), "id": UUID(int=1),
    }  # fmt: skip
    found = load(tmp_path, {"model": state, **others})
    assert_same(found, state)
    assert not found.notes


def test_a_program_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/data.pkl", b"x")
        archive.writestr("net/constants.pkl", b"x")
    with pytest.raises(WeightsError, match=r"net\.pt is a TorchScript program: save its state_dict\(\) alone"):
        load_weights(str(tmp_path / "net.pt"))


class Custom:
    """An object as scripts put it beside the weights."""


def test_objects_are_refused_by_name(state, tmp_path):
    with pytest.raises(WeightsError) as error:
        load(tmp_path, {"state_dict": state, "hyper_parameters": {"transforms": Custom()}})
    assert str(error.value) == (
        f"{tmp_path / 'net.pth'} is damaged or holds more than tensors (a tests.core.weights.test_containers.Custom, "
        "which could run code): save model.state_dict() alone, as .safetensors or .pth."
    )

"""Files by their content: weights whatever their name, and what people take for weights."""

import gzip
import io
import pickle
import tarfile
import zipfile
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.weights.architecture import WeightsError
from core.weights.pickled import FORBIDDEN
from core.weights.sources import load_weights
from tests.core.networks import make_state

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 123\n"


@pytest.fixture(scope="module")
def state():
    return make_state()


def refusal(path):
    with pytest.raises(WeightsError) as error:
        load_weights(str(path))
    assert str(path) in str(error.value)
    return str(error.value).removeprefix(f"{path} ")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.safetensors", "a.pth", "a.pkl", "a.weights", "a"])
@pytest.mark.parametrize(
    "save", [save_file, torch.save, partial(torch.save, _use_new_zipfile_serialization=False)], ids=["st", "zip", "old"]
)
def test_the_content_and_not_the_name_says_how_a_file_is_read(state, tmp_path, name, save):
    save(state, tmp_path / name)
    found = load_weights(str(tmp_path / name)).state
    assert found.keys() == state.keys() and all(torch.equal(found[key], state[key]) for key in state)


@pytest.mark.parametrize("ending", [".safetensors", ".pth", ".ckpt", ".pkl", ".gz"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: fetch it again, or choose another file."),
        (POINTER, "is a Git LFS pointer, which stands for the weights file: run git lfs pull, or download the file i"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page and not a weights file: download the file that the page"),
        (b"\xef\xbb\xbf\n <HTML>", "is a web page"),
        (b'<?xml version="1.0"?><Error/>', "is a web page"),
        (
            gzip.compress(b"x", mtime=0),
            "is a compressed file or an archive: unpack it and choose the weights file in it.",
        ),
        (b"7z\xbc\xaf\x27\x1c" + bytes(9), "is a compressed file or an archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(9), "is an HDF5 file, as Keras saves weights: choose weights of a RetinaNet of"),
        (pickle.dumps({"weight": [1, 2]}), "is a pickle that PyTorch did not write: write the state dict with torch."),
    ],
)
def test_what_is_no_weights_file_is_named(tmp_path, content, message, ending):
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    assert refusal(path).startswith(message)


@pytest.mark.parametrize("content", [b"Entry not found", b'{"message": "Not Found"}\n', b"{}"])
def test_text_is_named(tmp_path, content):
    for name in ("a.safetensors", "a.pth"):
        (tmp_path / name).write_bytes(content)
        assert refusal(tmp_path / name) == "is text and not a weights file: if it was downloaded, fetch it again."


def test_archives_are_to_be_unpacked(state, tmp_path):
    torch.save(state, tmp_path / "net.pth")
    with tarfile.open(tmp_path / "net.pth.tar", "w") as archive:
        archive.add(tmp_path / "net.pth", "net.pth")
    assert refusal(tmp_path / "net.pth.tar").startswith("is a compressed file or an archive: unpack it")
    with zipfile.ZipFile(tmp_path / "net.zip", "w") as archive:
        archive.write(tmp_path / "net.pth", "net.pth")
    assert refusal(tmp_path / "net.zip") == (
        "is a zip archive that PyTorch did not write: unpack it and choose the weights file in it."
    )


def test_a_folder_is_no_weights_file(tmp_path):
    assert refusal(tmp_path) == "is a folder: choose the weights file in it."


@pytest.mark.parametrize(
    ("keys", "whose"),
    [
        (("backbone.bottom_up.stem.conv1.weight", "head.cls_score.weight"), "detectron2"),
        (("module.backbone.fpn_lateral3.weight",), "detectron2"),
        (("backbone.conv1.weight", "bbox_head.retina_cls.weight"), "MMDetection"),
        (("module.classificationModel.conv1.weight",), "pytorch-retinanet"),
        (("model.model.0.conv.weight",), "YOLO"),
        (("rpn.head.cls_logits.weight", "roi_heads.box_predictor.cls_score.weight"), "torchvision's Faster R-CNN or"),
        (("head.classification_head.module_list.0.weight",), "torchvision's SSD"),
        (
            ("head.classification_head.cls_logits.weight", "head.regression_head.bbox_ctrness.weight"),
            "torchvision's FCOS",
        ),
    ],
)
@pytest.mark.parametrize("wrap", [lambda entries: entries, lambda entries: {"meta": {}, "state_dict": entries}])
def test_weights_of_others_are_named(tmp_path, keys, whose, wrap):
    torch.save(wrap({key: torch.zeros(1) for key in keys}), tmp_path / "a.pth")
    assert refusal(tmp_path / "a.pth").startswith(f"holds weights of {whose}")


def test_the_network_of_other_libraries_is_to_be_converted(tmp_path):
    entries = {"backbone.fpn_lateral3.weight": np.zeros((1, 1), np.float32)}
    for write in (torch.save, lambda content, path: path.write_bytes(pickle.dumps(content))):
        write({"model": entries, "__author__": "Somebody"}, tmp_path / "model_final.pkl")
        assert refusal(tmp_path / "model_final.pkl") == (
            "holds weights of detectron2, not of torchvision's RetinaNet: convert them to the keys of torchvision's "
            "RetinaNet, or choose weights saved here or by torchvision; the command differ names the conventions that "
            "must be converted, too."
        )


@pytest.mark.parametrize(
    ("keys", "converted"),
    [
        (("backbone.bottom_up.stem.conv1.weight", "head.cls_subnet.0.weight"), True),
        (("backbone.bottom_up.stem.conv1.weight", "roi_heads.box_predictor.cls_score.weight"), False),
        (("bbox_head.retina_cls.weight",), True),
        (("roi_head.bbox_head.fc_cls.weight",), False),
        (("bbox_head.multi_level_conv_cls.0.weight",), False),
    ],
)
def test_only_a_retinanet_is_to_be_converted(tmp_path, keys, converted):
    torch.save({key: torch.zeros(1) for key in keys}, tmp_path / "a.pth")
    assert ("convert them" in refusal(tmp_path / "a.pth")) is converted


def test_the_boxes_of_pytorch_retinanet_differ_and_that_is_said(tmp_path):
    torch.save({"classificationModel.conv1.weight": torch.zeros(1)}, tmp_path / "a.pth")
    assert "deltas are scaled by 0.1 and 0.2, and its anchors begin half a stride later" in refusal(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("module", "whose"), [("mmengine.logging.history_buffer", "MMDetection"), ("ultralytics.nn.tasks", "YOLO")]
)
def test_objects_of_other_libraries_name_them(tmp_path, module, whose):
    stored = io.BytesIO()
    torch.save({"a": torch.zeros(1)}, stored)
    pickled = b"\x80\x02}X\x01\x00\x00\x00ac" + module.encode() + b"\nThing\n)\x81s."
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive, zipfile.ZipFile(stored) as source:
        for entry in source.infolist():
            archive.writestr(entry.filename, pickled if entry.filename.endswith(".pkl") else source.read(entry))
    assert refusal(tmp_path / "a.pth").startswith(f"holds weights of {whose}, not of torchvision's RetinaNet")


def test_blocked_objects_are_named():
    sentence = "Trying to load unsupported GLOBAL os.system whose module os is blocked."
    assert FORBIDDEN.search(sentence)[1] == "os.system"

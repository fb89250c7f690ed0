"""Exported files are read back and compared: one that detects something else is not kept."""

import zipfile
from copy import deepcopy
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.cli import main
from core.export.bundle import read_bundle, write_bundle
from core.export.readback import FULL, find_difference, make_picture, make_reference, read_weights, write_compared
from core.io.atomic import OutputError
from core.retinanet.model import build_model
from core.structures import Detections
from core.weights.sources import WeightsError, save_weights
from core.weights.state_dict import fits_half
from tests.core.networks import CONFIG, NAMES, spread_scores

VARIANCE, OTHER_VARIANCE = "backbone.body.bn1.running_var", "backbone.body.layer1.0.bn1.running_var"
SMALL = CONFIG.replace({"inference.image_size": 64, "inference.max_image_size": 128})


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = build_model(SMALL.model, num_classes=3, anchors_per_location=3).eval()
    spread_scores(model, make_picture(), SMALL)
    return model


def save(model, **options):
    return partial(save_weights, model=model, class_names=NAMES, category_ids=range(3), **{"config": SMALL, **options})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
@pytest.mark.parametrize(
    "settings", [{}, {"anchors.convention": "exact", "anchors.size_p3": 20, "model.norm_eps": 0.01}]
)
def test_a_file_that_detects_the_same_is_kept(settings, name, tmp_path):
    config = SMALL.replace(settings)
    model = build_model(config.model, num_classes=3, anchors_per_location=3).eval()
    spread_scores(model, make_picture(), config)
    reference = make_reference(model, config, weak=True)
    assert write_compared(tmp_path / name, save(model, config=config), read_weights, reference, FULL) >= 5
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config": SMALL.replace({"anchors.size_p7": 300})}, "it holds other anchors"),
        ({"config": SMALL.replace({"anchors.scales": (1.0, 1.3, 1.6)})}, "it holds other anchors"),
        ({"model": SMALL.model}, "read back it detects something else in a test picture"),
    ],
)
def test_a_file_that_detects_something_else_is_not_kept(changes, reason, model, tmp_path):
    other = build_model(changes["model"], num_classes=3, anchors_per_location=3) if "model" in changes else model
    write = save(other, config=changes.get("config", SMALL))
    (tmp_path / "a.safetensors").write_text("an earlier file")
    with pytest.raises(OutputError, match=rf"a\.safetensors is not written, because .*{reason}"):
        write_compared(tmp_path / "a.safetensors", write, read_weights, make_reference(model, SMALL, weak=True), FULL)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["an earlier file"]


def test_a_file_that_cannot_be_read_is_not_kept(model, tmp_path):
    with pytest.raises(OutputError, match=r"could not be read back: .* is text and not a weights file"):
        write_compared(
            tmp_path / "a.safetensors",
            lambda path: path.write_text("a letter"),
            read_weights,
            make_reference(model, SMALL, weak=True),
            FULL,
        )
    assert not any(tmp_path.iterdir())


def test_messages_name_the_file_and_not_the_copy(model, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    reference = make_reference(model, SMALL, weak=True)
    with pytest.raises(OutputError) as error:
        write_compared(path, lambda copy: copy.write_text("a letter"), read_weights, reference, FULL)
    assert str(error.value).startswith(f"{path} is not written, because it could not be read back: {path} is text")
    monkeypatch.setattr("core.weights.state_dict.save_file", lambda *_: Path("/missing/folder").read_text())
    with pytest.raises(WeightsError) as error:
        write_compared(path, save(model), read_weights, reference, FULL)
    assert str(error.value).startswith(f"{path} cannot be written: ") and f".{path.name}." not in str(error.value)


@pytest.mark.parametrize("printed", ["a letter", "7", "[]", '{"box": 1}', '{"box": [1, 2, 3], "score": 1, "label": 1}'])
def test_a_script_that_prints_something_else(printed, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("detect.py", f"def main(paths):\n    print({printed!r})\nmodel = main")
    with pytest.raises(OutputError, match="its script prints something else than detections"):
        read_bundle(tmp_path / "a.zip", make_picture(), SMALL)


def test_differences_by_hand():
    reference = make_reference(build_model(SMALL.model, num_classes=3, anchors_per_location=3), SMALL, weak=False)
    box, other = torch.tensor([[10.0, 10, 20, 20]]), torch.tensor([[30.0, 30, 50, 50]])
    one = Detections(box, torch.tensor([0.9]), torch.tensor([1]))
    scores = torch.tensor([[0.1, 0.9, 0.2], [0.1, 0.1, 0.1]])
    reference = reference._replace(boxes=torch.cat([box, other]), scores=scores, detections=one)
    assert find_difference(reference, one, FULL) == ""
    assert find_difference(reference, one._replace(boxes=box + 0.05), FULL) == ""
    assert "a box at [30, 30, 50, 50]" in find_difference(reference, one._replace(boxes=other), FULL)
    assert "a box" in find_difference(reference, one._replace(labels=torch.tensor([2])), FULL)
    assert "differs by 0.1" in find_difference(reference, one._replace(scores=torch.tensor([0.8])), FULL)
    assert "a score" in find_difference(reference, one._replace(scores=torch.tensor([torch.nan])), FULL)
    many = Detections(box.expand(3, 4), torch.tensor([0.9] * 3), torch.tensor([1] * 3))
    assert find_difference(reference, many, FULL) == "3 detections instead of 1"


def test_few_detections_lower_the_threshold():
    """An untrained network has scores of 0.01, all below the threshold, and still there is something to compare."""
    reference = make_reference(build_model(SMALL.model, num_classes=3, anchors_per_location=3), SMALL, weak=False)
    assert reference.config.inference.score_threshold < 0.05 and len(reference.detections.scores) > 3


# 16 bits.


@pytest.mark.parametrize(
    ("key", "values", "fits"),
    [
        ("conv.weight", [1e5, 1.0], False),  # overflows
        ("conv.weight", [1.0, 1e-9], True),  # negligible beside 1
        ("conv.weight", [1e-7, 1e-9], False),  # all that there is
        ("conv.weight", [0.0, 0.0], True),
        ("bn.running_var", [1.0, 1e5], False),
        ("bn.running_var", [1.0, 1e-9], False),  # becomes 0
        ("bn.running_var", [1.0, 1e-6], False),  # loses its digits
        ("bn.running_var", [1.0, 1e-3, 0.0], True),
        ("conv.weight", [float("nan"), 1.0], False),
        ("conv.weight", [], True),
    ],
)
def test_what_16_bits_hold(key, values, fits):
    assert fits_half(key, torch.tensor(values)) == fits


@pytest.mark.slow
@pytest.mark.parametrize("value", [1e5, 1e-7])
def test_variances_that_16_bits_cannot_hold_stay_at_32(value, model, tmp_path, capsys):
    model = deepcopy(model)
    state = model.state_dict()
    state[VARIANCE].fill_(value)
    state[OTHER_VARIANCE].fill_(value)
    save(model)(tmp_path / "a.safetensors")
    command = [
        "export",
        "--half",
        "--weights",
        str(tmp_path / "a.safetensors"),
        "--out",
        str(tmp_path / "b.safetensors"),
    ]
    assert main.main(command) == 0
    assert f"because 16 cannot hold their values: 2 tensors, such as {VARIANCE}." in capsys.readouterr().out
    types = {key: tensor.dtype for key, tensor in load_file(tmp_path / "b.safetensors").items()}
    assert types.pop(VARIANCE) == types.pop(OTHER_VARIANCE) == torch.float32
    assert set(types.values()) == {torch.float16, torch.int64}
    found = read_weights(tmp_path / "b.safetensors", make_picture(), SMALL)
    assert found.boxes.isfinite().all()


@pytest.mark.slow
def test_a_script_that_detects_something_else_is_not_kept(model, tmp_path):
    names = ("N/A", "disc", "N/A")  # as COCO has
    write = partial(write_bundle, model=model, class_names=names, category_ids=range(3))
    right, wrong = partial(write, config=SMALL), partial(write, config=SMALL.replace({"inference.image_size": 96}))
    reference = make_reference(model, SMALL, weak=False)
    assert write_compared(tmp_path / "a.zip", right, read_bundle, reference, FULL) > 5
    with pytest.raises(OutputError, match=r"b\.zip is not written, because read back it detects something else"):
        write_compared(tmp_path / "b.zip", wrong, read_bundle, reference, FULL)
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]

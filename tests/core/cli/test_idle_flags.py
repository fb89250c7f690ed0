"""A flag that has no effect is named, once, with when it would have one."""

import pytest

from core.cli import main, running
from core.cli.commands import COMMANDS
from core.cli.idle_flags import USED, describe_idle
from core.config import knobs
from tests.core import made_data


def notes(text: str) -> list[str]:
    options = main.parse(text.split())
    return list(describe_idle(running.build_config(options), options))


@pytest.mark.parametrize(
    ("arguments", "flag", "reason"),
    [
        ("train --out x --loss.ohem_anchors 9", "loss.ohem_anchors", "it acts when the loss is OHEM."),
        ("train --out x --loss.gamma 2 --loss.kind ohem", "loss.gamma",
         "it acts when the loss is focal, Poly-1 focal or varifocal."),
        ("train --out x --loss.gamma 2 --loss.kind varifocal --loss.varifocal_alpha 0", "loss.gamma",
         "it acts when α (varifocal) is above 0."),
        ("train --out x --training.steps 50 --training.early_stopping 3", "training.early_stopping",
         "it acts when the run is evaluated before its end."),
        ("train --out x --data d --scenes.noise 0", "scenes.noise",
         "it acts on generated scenes, not on other pictures."),
        ("train --out x --model.prior_probability .5", "model.prior_probability",
         "it acts when the heads are new, not loaded with the weights."),
        ("compare ohem --out x --loss.cutoff .2", "loss.cutoff", "it acts when the loss is cut-off."),
        ("evaluate --inference.nms_kind soft --inference.nms_threshold .3", "inference.nms_threshold",
         "it acts when the NMS kind is not soft."),
        ("evaluate --data d --scenes.seed 3", "scenes.seed", "it acts on generated scenes, not on other pictures."),
        ("detect a.png --loss.gamma 1", "loss.gamma", "detect does not use it."),
        ("detect a.png --training.seed 1", "training.seed", "detect does not use it."),
        ("explain a.png --out b.png --training.seed 1", "training.seed", "explain does not use it."),
        ("explain a.png --out b.png --masks 9 --inference.tile_size 64", "inference.tile_size",
         "explain does not use it."),
        ("differ a.png --framework detectron2 --scenes.seed 1", "scenes.seed", "differ does not use it."),
        ("differ a.png --framework detectron2 --loss.gamma 1", "loss.gamma", "differ does not use it."),
        ("differ --framework detectron2 --inference.tile_size 64", "inference.tile_size", "differ does not use it."),
        ("anchors --matching.bg_iou_threshold .3", "matching.bg_iou_threshold", "anchors does not use it."),
        ("check --data d --inference.nms_threshold .3", "inference.nms_threshold", "check does not use it."),
        ("train --out x --matching.assigner atss --matching.fg_iou_threshold .6", "matching.fg_iou_threshold",
         "it acts when the assigner is max IoU."),
        ("check --data d --matching.assigner atss --matching.fg_iou_threshold .6", "matching.assigner",
         "check does not use it."),
        ("check --data d --inference.precision bf16", "inference.precision", "check does not use it."),
        ("anchors --inference.precision bf16", "inference.precision", "anchors does not use it."),
        ("find-lr --inference.precision bf16", "inference.precision", "find-lr does not use it."),
        ("find-lr --model.prior_probability .5", "model.prior_probability",
         "it acts when the heads are new, not loaded with the weights."),
        ("split --data d --by given --training.seed 1", "training.seed", "split does not use it."),
        ("convert --data d --to coco --out x --training.seed 1", "training.seed", "convert does not use it."),
        ("export --out a.pth --inference.soft_nms_sigma 1", "inference.soft_nms_sigma",
         "it acts when the NMS kind is soft."),
    ],
)  # fmt: skip
def test_a_flag_without_effect_is_named(arguments, flag, reason):
    assert notes(arguments) == [f"--{flag} has no effect: {reason}"]


@pytest.mark.parametrize(
    "arguments",
    [
        "train --out x",
        "train --out x --loss.kind ohem --loss.ohem_anchors 9",
        "train --out x --scenes.noise 0 --model.heads new --model.prior_probability .5",
        "train --out x --data d --model.prior_probability .5",  # its classes are not known yet
        "train --out x --weights a.pth --model.prior_probability .5",
        "train --out x --resume --loss.ohem_anchors 9",  # the settings are those of the run
        "find-lr --data d --training.precision bf16 --loss.normaliser batch --model.prior_probability .5",
        "train --out x --loss.normaliser batch --inference.tile_size 64 --inference.tile_overlap .3",
        "explain a.png --out b.png --masks 9 --training.seed 1 --inference.nms_threshold .3",
        "compare ohem --out x --loss.ohem_anchors 9 --loss.gamma 1",  # each for some of the variants
        "evaluate --images 5 --inference.nms_threshold .3 --anchors.size_p3 8",
        "anchors --matching.fg_iou_threshold .6 --inference.tile_size 64",
        "split --data d --by random --training.seed 1",
        "convert --data d --to coco --out x --pictures 4 --training.seed 1",
        "export --out a.pth --loss.gamma 1",  # which the file records
    ],
)
def test_a_flag_that_may_have_an_effect_is_not(arguments):
    assert notes(arguments) == []


def test_settings_of_a_file_are_not_flags(tmp_path):
    (tmp_path / "settings.json").write_text('{"loss": {"ohem_anchors": 9}}')
    assert notes(f"train --out x --config {tmp_path}/settings.json") == []


def test_the_test_of_learning_rates_has_steps_and_rates_of_its_own(tmp_path):
    """Those of a run, in a file, do not make other settings idle."""
    (tmp_path / "settings.json").write_text('{"training": {"steps": 1, "learning_rate": 0}, "loss": {"kind": "ghm"}}')
    options = f"find-lr --config {tmp_path}/settings.json --loss.ghm_momentum .5 --training.weight_decay 0"
    assert notes(options) == []


def test_every_command_says_what_it_uses():
    assert USED.keys() == COMMANDS.keys()
    assert all(paths <= knobs().keys() for paths in USED.values())


def test_the_note_is_printed_once_before_the_result(tmp_path, capsys):
    made_data.coco(tmp_path / "train", made_data.coco_content(), "train")
    arguments = ["split", "--data", str(tmp_path), "--by", "given", "--loss.gamma", "1"]
    assert main.main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == "note: --loss.gamma has no effect: split does not use it.\n"
    assert "note" not in captured.out

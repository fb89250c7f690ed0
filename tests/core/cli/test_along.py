"""`evaluate --along`: average precision along a dial of the scenes."""

import json

import pytest

from core.cli import main

SMALL = ["--weights", "builtin", "--images", "2", "--inference.image_size", "64", "--scenes.image_size", "64"]


@pytest.mark.slow
def test_it_prints_and_writes_a_row_for_each_value(tmp_path, capsys):
    out = tmp_path / "curve.json"
    along = ["--along", "imbalance", "--values", "1,0", "--json", str(out)]
    assert main.main(["evaluate", *SMALL, *along]) == 0
    printed = capsys.readouterr()
    assert "--scenes.imbalance" not in printed.err
    head, first, second, *rest = printed.out.splitlines()
    assert head.split() == ["scenes.imbalance", "pictures", "objects", "AP", "AP50", "rare", "AP", "rare", "objects"]
    assert (first.split()[:2], second.split()[:2]) == (["0", "2"], ["1", "2"]) and rest[0].startswith("rare: ")
    written = json.loads(out.read_text("utf-8"))
    assert (written["dial"], written["split"]) == ("scenes.imbalance", "test")
    assert [each["value"] for each in written["points"]] == [0, 1]
    assert main.main(["evaluate", *SMALL, *along, "--scenes.imbalance", "0.5"]) == 0
    assert "note: --scenes.imbalance does nothing beside --along" in capsys.readouterr().err
    plain = tmp_path / "plain.json"
    assert main.main(["evaluate", *SMALL, "--scenes.imbalance", "1", "--json", str(plain)]) == 0
    assert json.loads(plain.read_text("utf-8"))["metrics"]["ap"] == written["points"][1]["ap"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--along", "colour"], "The scenes have no dial 'colour': choose one of image_size"),
        (["--along", "noise", "--values", "0,2"], "scenes.noise"),
        (["--along", "max_size", "--values", "0.02"], "scenes.min_size (0.05) must not be above scenes.max_size"),
        (["--along", "noise", "--values", ",".join(map(str, range(13)))], "13 values, and a curve has at most 12"),
        (["--along", "noise", "--values", "a"], "'a' is not a list of numbers"),
        (["--along", "noise", "--data", "mine"], "leave out --data"),
        (["--along", "noise", "--report", "r.json"], "leave out --report"),
        (["--along", "noise", "--at-score", "0.5"], "leave out --at-score"),
        (["--values", "0,1"], "name it with --along"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(flags, message, capsys):
    try:
        assert main.main(["evaluate", *flags]) == 2
    except SystemExit as error:
        assert error.code == 2
    assert message in capsys.readouterr().err

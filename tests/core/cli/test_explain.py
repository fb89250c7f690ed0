"""`explain`: what it draws, reports and refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.cli import main
from core.cli.arguments import PARTS, PLACES
from core.cli.explain.drawing import draw_map
from core.explain import maps, target
from core.retinanet.model import build_model
from core.weights.sources import save_weights
from tests.core.networks import CONFIG, NAMES, spread_scores

ANY = ("--inference.score_threshold", "0")


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3).eval()
    config = CONFIG.replace({"inference.image_size": 64})
    spread_scores(model, make_pixels(), config)
    file = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(file, model, config, NAMES, range(3))
    return file


def make_pixels():
    return torch.randint(256, (3, 50, 70), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


@pytest.fixture
def picture(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(make_pixels().permute(1, 2, 0).numpy()).save("photo.png")
    return Path("photo.png")


def explain(weights: Path, *arguments: object) -> int:
    every = ["explain", "--weights", str(weights), *ANY, *map(str, arguments)]
    return main.main(every)


@pytest.mark.slow
@pytest.mark.parametrize("of", ["class", "box"])
@pytest.mark.parametrize("on", ["pixels", "features"])
def test_it_draws_the_picture_dimmed_where_it_does_not_matter(of, on, picture, weights, capsys):
    assert explain(weights, picture, "--out", "map.png", "--json", "map.json", "--of", of, "--on", on) == 0
    drawn, original = (np.asarray(Image.open(path), dtype=float) for path in ("map.png", "photo.png"))
    assert drawn.shape == original.shape
    boxes = [[230, 159, 0], [0, 158, 115], [86, 180, 233]]
    plain = ~(drawn[..., None, :] == boxes).all(axis=-1).any(axis=-1)
    assert (drawn[plain] <= original[plain] + 1).all() and (drawn[plain] >= 0.25 * original[plain] - 1).all()
    result = json.loads(Path("map.json").read_text())
    assert (result["of"], result["class"] in NAMES) == (of, True)
    output = capsys.readouterr().out
    assert f"1: {result['class']} {result['score']:.2f}" in output and "Bright where it matters: map.png" in output


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), [("map.PNG", "PNG"), ("map.jpg", "JPEG"), ("map.jpeg", "JPEG")])
def test_the_drawing_is_what_its_name_says(name, form, picture, weights):
    assert explain(weights, picture, "--out", name) == 0
    with Image.open(name) as drawn:
        assert drawn.format == form and drawn.size == (70, 50)


@pytest.mark.slow
def test_detections_have_the_numbers_and_the_boxes_of_detect(picture, weights):
    assert main.main(["detect", str(picture), "--weights", str(weights), "--json", "found.json", *ANY]) == 0
    found = json.loads(Path("found.json").read_text())["annotations"]
    assert explain(weights, picture, "--out", "map.png", "--json", "map.json", "--detection", 3) == 0
    result = json.loads(Path("map.json").read_text())
    x, y, width, height = found[2]["bbox"]
    assert result["score"] == pytest.approx(found[2]["score"], abs=1e-4)
    assert result["box"] == pytest.approx([x, y, x + width, y + height], abs=0.2)
    assert torch.tensor(result["value"]).sigmoid().item() == pytest.approx(result["score"], abs=1e-3)


@pytest.mark.slow
def test_masks_are_a_second_opinion_from_a_seed(picture, weights, capsys):
    checks = []
    for _ in range(2):
        assert explain(weights, picture, "--out", "map.png", "--json", "map.json", "--masks", 20) == 0
        checks.append(json.loads(Path("map.json").read_text())["check"])
    assert checks[0] == checks[1] and -1 <= checks[0]["rank_correlation"] <= 1
    assert "Rank correlation with 20 random masks: " in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 10**6])
def test_a_detection_that_is_not_there_is_refused(number, picture, weights, capsys):
    assert explain(weights, picture, "--out", "map.png", "--detection", number) == 1
    assert f"none with number {number}: name another" in capsys.readouterr().err
    assert not Path("map.png").exists()


@pytest.mark.slow
def test_a_picture_without_detections_is_refused(picture, weights, capsys):
    assert explain(weights, picture, "--out", "map.png", "--inference.score_threshold", 1) == 1
    assert "photo.png has no detections under these settings: lower --inf" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--out", "photo.png"], 2, "--out photo.png would replace the picture"),
        (["--out", "map.png", "--json", "photo.png"], 2, "--json photo.png would replace the picture"),
        (["--out", "linked.png"], 2, "--out linked.png would replace the picture"),
        (["--out", "map.png", "--json", "./map.png"], 2, "--json map.png would replace the drawing"),
        (["--out", "map.gif"], 2, "--out map.gif must end in .png or .jpg or .jpeg: these are the formats of the"),
        (["--out", "map"], 2, "--out map must end in .png or .jpg or .jpeg"),
        (["--out", "no/map.png"], 1, "the folder no does not exist"),
    ],
)
def test_files_that_cannot_be_written_are_refused_before_anything_is_loaded(arguments, status, said, picture, capsys):
    Path("linked.png").hardlink_to(picture)  # as on a disk that does not tell Photo.png from photo.png
    before = picture.read_bytes()
    assert explain(Path("nothing.safetensors"), picture, *arguments) == status
    assert said in capsys.readouterr().err
    assert picture.read_bytes() == before and not Path("map.png").exists()


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        ("100001", "'100001' is more than 100,000"),
        ("9" * 5000, "is more than 100,000"),
        ("-1", "is not a whole number from 0"),
    ],
)
def test_more_masks_than_any_map_needs_are_refused(masks, said, picture, capsys):
    with pytest.raises(SystemExit):
        explain(Path("nothing.safetensors"), picture, "--out", "map.png", "--masks", masks)
    message = capsys.readouterr().err
    assert "argument --masks: " in message and said in message


@pytest.mark.parametrize(("name", "said"), [("none.png", "none.png"), ("text.png", "text.png"), (".", ".")])
def test_a_picture_that_cannot_be_read_is_refused_before_weights_are_loaded(name, said, picture, capsys):
    Path("text.png").write_text("no picture")
    assert explain(Path("nothing.safetensors"), name, "--out", "map.png") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and said in line and "nothing" not in line


def test_a_prediction_without_a_gradient_is_drawn_without_a_receptive_field():
    image = make_pixels()
    drawing = np.asarray(draw_map(image, torch.zeros(64, 64), {"#ff0000": None, "#00ff00": (10, 10, 20, 20)}))
    assert drawing[10, 10].tolist() == [0, 255, 0]
    dimmed = (image.permute(1, 2, 0) * 0.25).round().to(torch.uint8).numpy()
    assert np.array_equal(drawing[:, 30:], dimmed[:, 30:])


def test_its_choices_are_those_of_the_library():
    assert (PARTS, PLACES) == (target.PARTS, maps.PLACES)


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"tile_size": 48}, "inference.tile_size = 48"), ({"test_time_flip": True}, "mirrored or in other sizes"),
     ({"test_time_scales": [1, 1.5]}, "set them to false and to 1")],
)  # fmt: skip
def test_settings_that_see_the_picture_otherwise_are_refused(settings, named, picture, weights, capsys):
    Path("settings.json").write_text(json.dumps({"inference": settings}))
    assert explain(weights, picture, "--config", "settings.json", "--out", "map.png") == 2
    assert named in capsys.readouterr().err and not Path("map.png").exists()


@pytest.mark.slow
def test_tiles_that_the_picture_fits_into_do_not_matter(picture, weights):
    Path("settings.json").write_text(json.dumps({"inference": {"tile_size": 96}}))
    assert explain(weights, picture, "--config", "settings.json", "--out", "map.png") == 0

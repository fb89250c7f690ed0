"""Whether weights have seen pictures of an album in training."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from core.config import Config
from core.runs.about import About
from playground.albums.service import ALBUMS
from playground.data.image_ref import ImageRef
from playground.runs import seen
from playground.runs.seen import count_held_out_seen, count_seen
from playground.runs.service import RUNS
from playground.steps.evaluation.step import count_seen_in
from tests.playground.made_albums import albums_at, training_folder
from tests.playground.made_runs import make_run, runs_at

ANN = "a" * 32


@pytest.fixture
def album(tmp_path, monkeypatch):
    """Ann's album of six pictures, the last of which are held out, and the folder of runs beside it."""
    monkeypatch.setattr(ALBUMS, "needed_by", lambda folder: RUNS.refers_to(str(folder)))
    with albums_at(tmp_path / "albums"), runs_at(tmp_path / "runs"):
        for number in range(6):
            Image.new("RGB", (64, 48), (number, 0, 0)).save(tmp_path / "a.png")
            ALBUMS.add(ANN, tmp_path / "a.png", "a")
            ALBUMS.set_objects(ANN, number, [(1, 2, 30, 40)], [0], ["cat"])
            ALBUMS.set_split(ANN, number, "train" if number < 4 else "val")
        yield ALBUMS.of(ANN)


def train(name: str, folder, weights: str = "builtin"):
    """A run on a folder, and the weights that it has saved."""
    run = make_run(folder, {"model.weights": weights}, [])
    run.write_about(About(name))
    return run, str(run.weights)


def test_pictures_that_were_trained_on_count_wherever_they_are_now(album, tmp_path):
    source = str(training_folder(ALBUMS, album))
    _, weights = train(source, tmp_path / "runs" / "first")
    assert [count_seen(weights, ALBUMS.find_files(album, split)) for split in ("train", "val")] == [4, 0]
    for number in (0, 3):
        album = ALBUMS.set_split(ANN, number, "val")
    album = ALBUMS.set_split(ANN, 4, "train")
    assert [count_seen(weights, ALBUMS.find_files(album, split)) for split in ("train", "val")] == [2, 2]
    again, tuned = train(str(training_folder(ALBUMS, album)), tmp_path / "runs" / "again", weights)
    assert count_seen(tuned, ALBUMS.find_files(album, "all")) == 5  # the initial weights' pictures count, too
    assert count_held_out_seen(again, weights) == 2 and count_held_out_seen(again, "builtin") == 0


def test_the_same_picture_twice_is_one_that_was_seen_and_a_copy_is_too(album, tmp_path):
    source = training_folder(ALBUMS, album)
    _, weights = train(str(source), tmp_path / "runs" / "first")
    Image.new("RGB", (64, 48), (1, 0, 0)).save(tmp_path / "a.png")
    album, _ = ALBUMS.add(ANN, tmp_path / "a.png", "again")
    assert count_seen(weights, ALBUMS.find_files(album, "all")) == 5
    for path in (source / "images" / "train").iterdir():  # as on a disk without hard links
        shutil.copyfile(path, tmp_path / "copy")
        path.unlink()
        shutil.copyfile(tmp_path / "copy", path)
    assert count_seen(weights, ALBUMS.find_files(album, "all")) == 5


def test_an_evaluation_counts_those_it_has_made(album, tmp_path):
    _, weights = train(str(training_folder(ALBUMS, album)), tmp_path / "runs" / "first")
    for number in range(6):
        album = ALBUMS.set_split(ANN, number, "val")

    def seen(count: int, weights: str = weights, source: str = album.key) -> int:
        shown = SimpleNamespace(config=Config.from_flat({"model.weights": weights}), visitor=ANN)
        return count_seen_in(shown, ImageRef(source, "val"), count)

    assert (seen(6), seen(2), seen(6, "builtin"), seen(6, source="scenes")) == (4, 2, 0, 0)
    assert count_seen(str(tmp_path / "nowhere" / "weights.safetensors"), ALBUMS.find_files(album, "val")) == 0


def test_pictures_of_one_size_are_each_read_once(tmp_path, monkeypatch):
    """Comparing every pair took seconds for an album whose weights had been trained again and again."""
    for number in range(30):
        (tmp_path / str(number)).write_bytes(bytes([number] * 10))
    (tmp_path / "links").mkdir()
    for number in range(20):
        (tmp_path / "links" / str(number)).hardlink_to(tmp_path / str(number))
    trained = [*(tmp_path / str(number) for number in range(20)), *(tmp_path / "links").iterdir()]
    digests: list[Path] = []
    monkeypatch.setattr(seen, "_find_trained", lambda weights: iter(trained))
    monkeypatch.setattr(seen, "_digest", lambda path: digests.append(path) or path.read_bytes().hex())
    assert count_seen("", [tmp_path / str(number) for number in range(30)]) == 20
    assert len(digests) == 30 + 20

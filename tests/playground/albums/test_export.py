import zipfile
from pathlib import Path

import pytest
from PIL import Image

from core.data.dataset import SPLITS
from core.data.folders import open_folder, read_data_set
from playground.albums.album import AlbumError
from playground.albums.limits import disk_lasts
from playground.albums.service import Albums
from tests.playground.made_albums import training_folder

ANN = "a" * 32
BOXES = ((1.5, 2.25, 30.125, 40.0), (10.0, 0.0, 64.0, 20.0))


@pytest.fixture
def albums(tmp_path) -> Albums:
    """Ann's album: 12 pictures, of which the last is not labelled and the one before has no object."""
    albums = Albums(tmp_path / "albums")
    for number in range(12):
        Image.new("RGB", (64, 48), (number, 0, 0)).save(tmp_path / "a.png")
        albums.add(ANN, tmp_path / "a.png", "犬/../x y.png")
    for number in range(10):
        albums.set_objects(ANN, number, BOXES, [0, 1], ["猫 <b>", "dog, red"])
    albums.mark_empty(ANN, 10)
    return albums


def read(folder: Path) -> dict[str, list]:
    """Returns the pixels, the boxes and the class names of each picture of each split."""
    found = {}
    for split in read_data_set(folder).splits:
        data = open_folder(folder, split)
        found[split] = [
            (
                int(sample.image[0, 0, 0]),
                [tuple(box) for box in sample.boxes.tolist()],
                [data.class_names[label] for label in sample.labels.tolist()],
            )
            for sample in data
        ]
    return found


def expected(album) -> dict[str, list]:
    return {
        split: [
            (index, [tuple(box) for box in album.pictures[index].boxes],
             [album.class_names[label] for label in album.pictures[index].labels])
            for index in album.indices(split)
        ]
        for split in SPLITS if album.indices(split)
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("format", ["coco", "voc", "yolo"])
def test_what_is_downloaded_is_read_again_as_it_was(albums, tmp_path, format):
    album = albums.set_split(ANN, 3, "test")
    path = albums.export(ANN, format)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    found = read(tmp_path / "out")
    wanted = expected(album)
    assert set(found) == {"train", "val", "test"} and [len(wanted[split]) for split in SPLITS] == [8, 2, 1]
    for split in SPLITS:
        for (pixel, boxes, names), (index, placed, classes) in zip(found[split], wanted[split], strict=True):
            assert (pixel, names) == (index, classes) and boxes == [pytest.approx(box, abs=1e-3) for box in placed]
    assert sorted(read_data_set(tmp_path / "out").class_names) == sorted(album.class_names)  # VOC has no list of them


def test_only_the_owner_downloads_and_something_must_be_there(albums, tmp_path):
    with pytest.raises(AlbumError, match="no pictures here yet"):
        albums.export("b" * 32, "coco")
    with pytest.raises(AlbumError, match="coco, voc, yolo"):
        albums.export(ANN, "csv")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    albums.add("b" * 32, tmp_path / "a.png", "a.png")
    with pytest.raises(AlbumError, match="nothing to download"):
        albums.export("b" * 32, "coco")


def test_a_run_reads_what_the_album_was_when_it_started(albums):
    album = albums.of(ANN)
    folder = training_folder(albums, album)
    assert read(folder) == expected(album) and albums.may_see(folder, ANN) and not albums.may_see(folder, "")
    assert training_folder(albums, album) == folder
    albums.needed_by = lambda path: path == folder
    changed = albums.set_objects(ANN, 0, [], [], [])
    other = training_folder(albums, changed)
    assert other != folder and read(folder) == expected(album) and len(read(other)["train"]) == 8
    albums.needed_by = lambda path: False
    training_folder(albums, changed)
    assert not folder.exists() and other.exists() and albums.open_image(changed, 0).shape == (3, 48, 64)


def test_too_few_pictures_are_refused_with_what_to_do(tmp_path):
    albums = Albums(tmp_path / "albums")
    for _ in range(2):
        Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
        albums.add(ANN, tmp_path / "a.png", "a.png")
    with pytest.raises(AlbumError, match="at least 2 pictures"):
        training_folder(albums, albums.of(ANN))
    with pytest.raises(AlbumError, match="at least 2 pictures"):
        training_folder(albums, albums.set_objects(ANN, 0, BOXES[:1], [0], ["cat"]))
    assert training_folder(albums, albums.mark_empty(ANN, 1)).is_dir()
    albums.set_split(ANN, 1, "train")
    with pytest.raises(AlbumError, match="held out"):
        training_folder(albums, albums.set_split(ANN, 0, "train"))
    with pytest.raises(AlbumError, match="No picture for training has an object"):
        training_folder(albums, albums.set_split(ANN, 0, "val"))


def test_only_data_of_a_space_lasts(monkeypatch, tmp_path):
    assert disk_lasts(tmp_path)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert not disk_lasts(tmp_path) and disk_lasts(Path("/data/albums"))


def test_two_pages_that_start_runs_at_once_keep_both_folders(albums, tmp_path):
    other = Albums(albums.folder)
    with albums.train_on(albums.of(ANN)) as mine:
        changed = other.set_objects(ANN, 0, [], [], [])
        with other.train_on(changed) as theirs:
            assert mine != theirs and mine.is_dir()
        assert mine.is_dir()
        with pytest.raises(AlbumError, match="has just started: try again"):
            other.delete_all(ANN)
    with albums.train_on(changed) as folder:
        assert folder == theirs and not mine.exists()
    other.delete_all(ANN)
    albums.delete_all(ANN) if albums.of(ANN) else None
    with pytest.raises(AlbumError, match="no longer here"), albums.train_on(changed):
        pass
    assert albums.restore_all(ANN).key == changed.key and not list(albums.folder.glob("my-*/training-*.part"))


def test_an_album_that_is_deleted_twice_is_one_deletion(albums, monkeypatch):
    album, other = albums.of(ANN), Albums(albums.folder)
    other.delete_all(ANN)
    monkeypatch.setattr(albums, "require_own", lambda visitor: album)  # found before the other page deleted it
    albums.delete_all(ANN)
    monkeypatch.undo()
    assert sorted(path.name for path in albums.folder.iterdir() if path.name.startswith("my-")) == []
    assert len(albums.restore_all(ANN).pictures) == len(album.pictures)

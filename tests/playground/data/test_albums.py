"""Albums as data sets of the page: who can open and browse them."""

import json
from collections.abc import Iterator

import pytest
from PIL import Image

from core.config import Config, ConfigError
from playground.albums.album import ALL, AlbumError
from playground.albums.service import ALBUMS
from playground.data.browse import build_bar, choose_picture, count_pictures
from playground.data.image_ref import ImageRef, is_from_album, is_from_data_set
from playground.data.sources import name_source, open_picture, open_source, read_annotations, source_key
from tests.playground.made_albums import albums_at

ANN, BOB = "a" * 32, "b" * 32
SCENES = Config().scenes


@pytest.fixture
def key(tmp_path) -> Iterator[str]:
    """Ann's album with four pictures, of which the last is not labelled."""
    with albums_at(tmp_path / "albums"):
        for number in range(4):
            Image.new("RGB", (64, 48), (number, 0, 0)).save(tmp_path / "a.png")
            album, _ = ALBUMS.add(ANN, tmp_path / "a.png", f"{number}.png")
        for number in range(2):
            ALBUMS.set_objects(ANN, number, [(1, 2, 30 + number, 40)], [0], ["cat"])
        ALBUMS.mark_empty(ANN, 2)
        yield album.key


def test_the_owner_opens_and_browses_all_pictures_and_the_splits(key):
    assert count_pictures(ImageRef(key, ALL), ANN) == {ALL: 4, "train": 2, "val": 1}
    picture = open_picture(ImageRef(key, "val"), SCENES, ANN)
    assert picture.name == "1.png" and picture.class_names == ("cat",)
    assert picture.sample.boxes.tolist() == [[1, 2, 31, 40]] and picture.sample.image[0, 0, 0] == 1
    assert [open_picture(ImageRef(key, ALL, index), SCENES, ANN).name for index in range(4)] == [
        f"{index}.png" for index in range(4)
    ]
    assert [sample.labels.tolist() for sample in open_source(ImageRef(key, "train"), SCENES, ANN)] == [[0], []]
    bar = json.loads(build_bar(ImageRef(key, ALL, 3), "3.png", None, ANN))
    assert [key, "My pictures"] in bar["sources"] and (bar["split"], bar["index"], bar["count"]) == (ALL, 3, 4)
    assert [key, "My pictures"] in json.loads(build_bar(None, "", None, ANN))["sources"]
    assert choose_picture(None, key, "val", 7, ANN) == ImageRef(key, ALL)
    assert choose_picture(ImageRef(key, ALL), key, ALL, 7, ANN) == ImageRef(key, ALL, 3)
    with pytest.raises(AlbumError, match="no picture is for test"):
        open_picture(ImageRef(key, "test"), SCENES, ANN)
    assert {split: len(images) for split, images in read_annotations(key, Config(), ANN).items()} == {
        "train": 2,
        "val": 1,
    }


@pytest.mark.parametrize("visitor", [BOB, ""])
def test_nobody_else_can(key, visitor):
    ref = ImageRef(key, ALL, 1)
    open_picture(ref, SCENES, ANN)  # now it is in all caches
    for call in (
        lambda: open_picture(ref, SCENES, visitor),
        lambda: open_source(ref, SCENES, visitor),
        lambda: source_key(ref, SCENES, visitor),
        lambda: read_annotations(key, Config(), visitor),
    ):
        with pytest.raises(AlbumError, match="private"):
            call()
    assert count_pictures(ref, visitor) == {}
    assert key not in str(build_bar(None, "", None, visitor))
    ALBUMS.share(ANN, True)
    assert open_picture(ref, SCENES, visitor).name == "1.png" and name_source(ref, visitor) == "Shared pictures"
    assert [key, "Shared pictures"] in json.loads(build_bar(ref, "", None, visitor))["sources"]
    assert key not in str(build_bar(None, "", None, visitor))


def test_the_key_of_a_split_changes_with_its_pictures_alone(key):
    train, val, all_ = (ImageRef(key, split) for split in ("train", "val", ALL))
    before = [source_key(each, SCENES, ANN) for each in (train, val, all_)]
    ALBUMS.set_objects(ANN, 0, [(3, 3, 9, 9)], [0], ["cat"])
    after = [source_key(each, SCENES, ANN) for each in (train, val, all_)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True, False]


def test_links_name_all_pictures_of_albums_only(key):
    assert ImageRef.from_link(f"{key}/all/3") == ImageRef(key, ALL, 2) == ImageRef.from_link(ImageRef(key, ALL, 2).link)
    assert is_from_album(ImageRef(key, ALL)) and not is_from_data_set(ImageRef(key, ALL))
    for text in ("mine/all/1", "my-0123/all/1", f"{key}/some/1"):
        with pytest.raises(ConfigError):
            ImageRef.from_link(text)

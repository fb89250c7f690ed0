import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import PictureError, UserError
from playground.albums import objects
from playground.albums.album import AlbumError
from playground.albums.limits import Bounds
from playground.albums.service import Albums
from playground.albums.storage import PREVIOUS, RECORD
from playground.support.picture_limits import MAX_SIDE
from tests.effort import measure_slowness

ANN, BOB = "a" * 32, "b" * 32


def draw(path: Path, size: tuple[int, int] = (64, 48), colour: int = 90) -> Path:
    Image.new("RGB", size, (colour, 20, 200)).save(path)
    return path


@pytest.fixture
def albums(tmp_path) -> Albums:
    return Albums(tmp_path / "albums")


@pytest.fixture
def filled(albums, tmp_path) -> Albums:
    """Ann's album with four pictures."""
    for number in range(4):
        albums.add(ANN, draw(tmp_path / f"{number}.png", colour=number), f"{number}.png")
    return albums


def test_a_picture_is_added_and_found_again_after_a_restart(albums, tmp_path):
    album, index = albums.add(ANN, draw(tmp_path / "cat.png"), "cat.png")
    assert index == 0 and album.owner == ANN and not album.shared
    assert album.pictures[0][1:4] == ("cat.png", 64, 48) and not album.pictures[0].labelled
    again = Albums(albums.folder).of(ANN)
    assert again is not None and again._replace(used=0) == album._replace(used=0)
    assert albums.open_image(again, 0).shape == (3, 48, 64) and albums.open_image(again, 0)[:, 0, 0].tolist() == [
        90,
        20,
        200,
    ]
    assert albums.of(BOB) is None and albums.of("") is None


def test_without_a_cookie_nothing_is_kept(albums, tmp_path):
    with pytest.raises(AlbumError, match="allow cookies"):
        albums.add("", draw(tmp_path / "cat.png"), "cat.png")
    with pytest.raises(AlbumError, match="allow cookies"):
        albums.mark_empty("", 0)
    assert not albums.folder.exists() or not any(albums.folder.glob("my-*"))


def test_only_the_owner_sees_a_private_album(filled):
    key = filled.of(ANN).key
    assert filled.get(key, ANN).key == key and filled.may_see(filled.folder / key / "x", ANN)
    for visitor in (BOB, ""):
        with pytest.raises(AlbumError, match="private"):
            filled.get(key, visitor)
        assert not filled.may_see(filled.folder / key, visitor) and not filled.may_see(filled.folder, visitor)
    assert filled.may_see("scenes", BOB) and filled.may_see(filled.folder.parent / "data/x", BOB)
    (filled.folder.parent / "link").symlink_to(filled.folder)
    for path in (
        f"{filled.folder}/../{filled.folder.name}/{key}",
        filled.folder.parent / "link" / key,
        "\ud800",
        "a\0",
    ):
        assert filled.contains(path) and not filled.may_see(path, BOB)
    assert filled.owner_of(filled.folder.parent / "link" / key / "x") == ANN and not filled.contains("scenes")
    filled.share(ANN, True)
    assert filled.get(key, BOB).key == key and filled.may_see(filled.folder / key, "")
    filled.share(ANN, False)
    with pytest.raises(AlbumError, match="private"):
        filled.get(key, BOB)
    for missing in ("my-0123456789abcdef", "my-x", "../etc", ""):
        with pytest.raises(AlbumError, match="no longer here"):
            filled.get(missing, ANN)


def test_nobody_else_can_change_a_shared_album(filled):
    before = filled.share(ANN, True)
    for act in (lambda: filled.mark_empty(BOB, 0), lambda: filled.remove(BOB, 0), lambda: filled.share(BOB, False)):
        with pytest.raises(AlbumError, match="no pictures here yet"):
            act()
    assert filled.of(ANN).stamp == before.stamp


def test_objects_are_clipped_and_their_classes_added(filled):
    boxes = [(-5, 2, 30, 90), (1, 1, 1, 9), (3, 4, 5.12345, 6)]
    album = filled.set_objects(ANN, 1, boxes, [1, 0, 0], ["cat", " Hund "], [(0, 0, 9, 9)])
    picture = album.pictures[1]
    assert picture.boxes == ((0, 2, 30, 48), (3, 4, 5.123, 6)) and picture.labels == (1, 0)
    assert picture.labelled and picture.rejected == ((0, 0, 9, 9),) and album.class_names == ("cat", "Hund")
    # Another window of the browser may know fewer classes, in another order.
    album = filled.set_objects(ANN, 0, torch.tensor([[1.0, 2, 3, 4]]), torch.tensor([1]), ["犬", "CAT"])
    assert album.class_names == ("cat", "Hund", "犬") and album.pictures[0].labels == (0,)
    assert len(set(album.class_colours)) == 3
    assert not filled.set_objects(ANN, 0, [], [], ()).pictures[0].labelled


def test_a_picture_without_objects_counts_once_it_is_marked(filled):
    assert filled.mark_empty(ANN, 0).pictures[0].labelled
    assert filled.set_objects(ANN, 0, [], [], [], [(0, 0, 9, 9)]).pictures[0].labelled


@pytest.mark.parametrize(
    ("boxes", "labels", "names", "message"),
    [
        ([(0, 0, 9, float("nan"))], [0], ["a"], "coordinates"),
        ([(0, 0, 9)], [0], ["a"], "coordinates"),
        ([(0, 0, 9, 9)] * 501, [0] * 501, ["a"], "at most 500 boxes"),
        ([(0, 0, 9, 9)], [1], ["a"], "no class"),
        ([(0, 0, 9, 9)], [-1], ["a"], "no class"),
        ([(0, 0, 9, 9)], [], ["a"], "no class"),
        ([], [], ["a" * 41], "at most 40 characters"),
        ([], [], ["a\nb"], "invisible character"),
        ([], [], ["  "], "is empty"),
        ([], [], [7], "must be a text"),
        ([], [], ["\ud800"], "invisible character"),
        ([], [], [f"c{number}" for number in range(51)], "at most 50 classes"),
    ],
)
def test_what_is_not_allowed_changes_nothing(filled, boxes, labels, names, message):
    before = filled.of(ANN)
    with pytest.raises(UserError, match=message):
        filled.set_objects(ANN, 0, boxes, labels, names)
    assert filled.of(ANN) == before


@pytest.mark.parametrize("index", [-1, 4, 99])
def test_a_picture_that_is_not_there_is_refused(filled, index):
    with pytest.raises(AlbumError, match="has 4 pictures"):
        filled.mark_empty(ANN, index)


def test_a_removed_picture_can_be_restored_in_its_place(filled):
    titles = [each.title for each in filled.of(ANN).pictures]
    filled.remove(ANN, 1)
    assert [each.title for each in filled.remove(ANN, 1).pictures] == ["0.png", "3.png"]
    assert filled.restore_picture(ANN)[1] == 1
    album, index = filled.restore_picture(ANN)
    assert index == 1 and [each.title for each in album.pictures] == titles
    with pytest.raises(AlbumError, match="no removed picture"):
        filled.restore_picture(ANN)


def test_albums_are_bounded(tmp_path):
    albums = Albums(tmp_path / "albums", Bounds(pictures=2, size=2000, albums=1))
    path = draw(tmp_path / "a.png", (16, 16))
    albums.add(ANN, path, "a.png")
    with pytest.raises(AlbumError, match="no more albums"):
        albums.add(BOB, path, "a.png")
    albums.add(ANN, path, "a.png")
    with pytest.raises(AlbumError, match="at most 2 pictures"):
        albums.add(ANN, path, "a.png")
    albums.remove(ANN, 0)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(AlbumError, match="no room"):
        albums.add(ANN, tmp_path / "noise.png", "noise.png")
    assert len(list((albums.folder).rglob("*.png"))) == 2


def test_an_album_cannot_take_the_place_of_all_others(tmp_path):
    albums = Albums(tmp_path / "albums", Bounds(of_one=2000))
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    albums.add(ANN, draw(tmp_path / "a.png", (16, 16)), "a.png")
    with pytest.raises(AlbumError, match=r"yours take .* as much as they may"):
        albums.add(ANN, tmp_path / "noise.png", "noise.png")
    assert len(albums.of(ANN).pictures) == 1 and albums.add(BOB, tmp_path / "a.png", "a.png")[1] == 0


def test_a_large_picture_is_scaled_down_which_is_recorded(albums, tmp_path):
    album, _ = albums.add(ANN, draw(tmp_path / "a.png", (3 * MAX_SIDE, 90)), "a.png")
    picture = album.pictures[0]
    assert (picture.width, picture.scaled) == (MAX_SIDE, True) and picture.height == 30
    assert albums.open_image(album, 0).shape == (3, picture.height, picture.width)


def test_only_pixels_are_stored(albums, tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret words"  # turned by 90°; a description
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # the position
    image = Image.new("RGB", (1200, 900), "green")
    image.save(tmp_path / "a.jpg", exif=exif, comment=b"secret words", icc_profile=b"secret words" * 20)
    Image.new("RGB", (60, 40)).save(tmp_path / "b.png", exif=exif, icc_profile=b"secret words" * 20)
    for name in ("a.jpg", "b.png"):
        album, index = albums.add(ANN, tmp_path / name, name)
        content = (albums.folder / album.key / "pictures" / album.pictures[index].file).read_bytes()
        assert not any(each in content for each in (b"Exif", b"eXIf", b"secret", b"GPS", b"ICC_PROFILE", b"iCCP"))
    assert [(each.width, each.height) for each in album.pictures] == [(900, 1200), (40, 60)]


def test_what_is_no_picture_is_refused_without_a_path(albums, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(PictureError, match="my cat") as caught:
        albums.add(ANN, tmp_path / "a.png", "my cat")
    assert str(tmp_path) not in str(caught.value) and albums.of(ANN) is None


def test_titles_are_one_bounded_line(albums, tmp_path):
    album, _ = albums.add(ANN, draw(tmp_path / "a.png"), "a\nb\x00" + "c" * 999)
    assert album.pictures[0].title == "a b " + "c" * 96


def test_classes_are_renamed_merged_and_recoloured(filled):
    filled.set_objects(ANN, 0, [(0, 0, 9, 9), (1, 1, 5, 5), (2, 2, 6, 6)], [0, 1, 2], ["cat", "dog", "bird"])
    filled.set_objects(ANN, 1, [(0, 0, 9, 9)], [2], ["cat", "dog", "bird"])
    filled.remove(ANN, 1)
    assert filled.rename_class(ANN, 0, "Cat").class_names == ("Cat", "dog", "bird")
    with pytest.raises(UserError, match="merge the two"):
        filled.rename_class(ANN, 0, "DOG")
    assert filled.recolour_class(ANN, 1, "#ABCDEF").class_colours[1] == "#abcdef"
    album = filled.merge_classes(ANN, 0, 2)
    assert album.class_names == ("dog", "bird") and album.class_colours[0] == "#abcdef"
    assert album.pictures[0].labels == (1, 0, 1) and filled.restore_picture(ANN)[0].pictures[1].labels == (1,)
    for act in (
        lambda: filled.merge_classes(ANN, 0, 0),
        lambda: filled.merge_classes(ANN, 0, 2),
        lambda: filled.rename_class(ANN, -1, "x"),
        lambda: filled.recolour_class(ANN, 0, "red"),
    ):
        before = filled.of(ANN)
        with pytest.raises(UserError):
            act()
        assert filled.of(ANN) == before


@pytest.mark.parametrize("record", ["", "{", "[]", '{"album": {}}', "[" * 99_999])
def test_the_record_before_is_read_if_the_last_is_damaged(filled, record):
    filled.mark_empty(ANN, 0)
    folder = filled.folder / filled.of(ANN).key
    (folder / RECORD).write_text(record)
    found = Albums(filled.folder).of(ANN)
    assert len(found.pictures) == 4 and not found.pictures[0].labelled  # as it was before the last change
    (folder / PREVIOUS).write_text(record)
    assert Albums(filled.folder).of(ANN) is None


def test_a_record_that_was_not_replaced_in_time_is_found(filled):
    folder = filled.folder / filled.of(ANN).key
    (folder / RECORD).rename(folder / PREVIOUS)  # as if the process had ended between the two renames
    assert len(Albums(filled.folder).of(ANN).pictures) == 4
    assert len(filled.of(ANN).pictures) == 4


def test_a_picture_whose_file_is_gone_is_left_out(filled):
    album = filled.of(ANN)
    (filled.folder / album.key / "pictures" / album.pictures[1].file).unlink()
    assert [each.title for each in Albums(filled.folder).of(ANN).pictures] == ["0.png", "2.png", "3.png"]


def test_a_record_cannot_name_a_file_elsewhere(filled):
    folder = filled.folder / filled.of(ANN).key
    values = json.loads((folder / RECORD).read_text())
    values["pictures"][0]["file"] = "../../../etc/passwd"
    for name in (RECORD, PREVIOUS):
        (folder / name).write_text(json.dumps(values))
    album = Albums(filled.folder).of(ANN)
    assert [each.title for each in album.pictures] == ["1.png", "2.png", "3.png"] and album.lost == 1


def test_threads_that_add_at_once_lose_nothing(albums, tmp_path):
    path = draw(tmp_path / "a.png", (8, 8))

    def add_five(visitor: str) -> None:
        for _ in range(5):
            albums.add(visitor, path, "a.png")

    threads = [threading.Thread(target=add_five, args=[visitor]) for visitor in (ANN, ANN, BOB)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    again = Albums(albums.folder)
    assert [len(again.of(visitor).pictures) for visitor in (ANN, BOB)] == [10, 5]


def test_another_process_sees_what_was_changed(filled, tmp_path):
    other = Albums(filled.folder)
    assert len(other.of(ANN).pictures) == 4
    filled.add(ANN, draw(tmp_path / "x.png"), "x.png")
    other.add(ANN, draw(tmp_path / "y.png"), "y.png")
    assert [each.title for each in filled.of(ANN).pictures][4:] == ["x.png", "y.png"]


def test_a_stroke_is_saved_fast_in_a_full_album(albums, tmp_path):
    album, _ = albums.add(ANN, draw(tmp_path / "a.png", (8, 8)), "a.png")
    boxes = tuple((number * 0.0131, 1.0, 5 + number * 0.0127, 7.77) for number in range(20))
    picture = album.pictures[0]._replace(boxes=boxes, labels=(0,) * 20, labelled=True)
    pictures = tuple(picture._replace(title=str(number)) for number in range(300))
    albums._storage.save(album._replace(pictures=pictures, class_names=("cat",), class_colours=("#000000",)))
    times = []
    for number in range(10):
        start = time.thread_time()
        albums.set_objects(ANN, number, boxes[1:], [0] * 19, ["cat"])
        times.append(time.thread_time() - start)
    assert len(Albums(albums.folder).of(ANN).pictures[9].boxes) == 19 and min(times) < 0.02 * measure_slowness()


def test_a_bounded_number_of_removed_pictures_is_remembered(filled: Albums, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_REMOVED", 1)
    titles = [each.title for each in filled.of(ANN).pictures]  # type: ignore[union-attr]  # there is one
    for _ in range(2):
        album = filled.remove(ANN, 0)
    assert [each.picture.title for each in album.removed] == titles[1:2]

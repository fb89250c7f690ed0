import json
import zipfile
from pathlib import Path

import pytest

from core.analysis.issues import NO_VAL
from core.config import Config
from core.data.left_out import MISSING
from core.data.reading.format_detection import AmbiguousFormatError
from core.data.untrusted import DataError
from core.data.zips.entries import Limits
from playground.data.checking import RefusedError
from playground.data.datasets import DataSets
from playground.data.stored.access import LOCKS
from playground.data.stored.bounds import Bounds
from playground.sharing.shares import Share
from playground.support.visitors import VISITORS
from tests.core.made_data import coco, coco_content, picture, voc, voc_object, yolo
from tests.playground.made_albums import albums_at

LINE = "0 0.5 0.5 0.5 0.5"
CONFIG = Config()
KEY = "my-0123456789abcdef"  # such as an album has


def zipped(folder: Path, name: str = "set.zip") -> Path:
    archive = folder.parent / name
    with zipfile.ZipFile(archive, "w") as content:
        for path in sorted(folder.rglob("*")):
            content.write(path, path.relative_to(folder))
    return archive


@pytest.fixture
def archive(tmp_path):
    return zipped(yolo(tmp_path / "set", {f"p{number}": LINE for number in range(10)}))


@pytest.fixture
def data(tmp_path):
    return DataSets(tmp_path / "kept")


def list_files(data: DataSets) -> list[str]:
    """Returns the names of all files in the library, including hidden ones, but for the folder of its locks."""
    return sorted(path.name for path in data.library.folder.iterdir() if path.name != LOCKS)


def test_an_upload_is_kept_checked_and_opened(data, archive):
    calls = []
    kept = data.add_zip(archive, "My cats (2).ZIP", CONFIG, lambda *done: calls.append(done))
    assert kept.name == "My-cats-2" and data.library.names() == ("My-cats-2",)
    assert kept.splits == {"train": 8, "val": 1, "test": 1} and calls[-1] == (10, 10)
    assert len(data.open_split(kept.name, "train")) == 8 and data.open_split(kept.name, "val")[0].labels.tolist() == [0]
    assert list_files(data) == ["My-cats-2", "My-cats-2.json"]


def test_data_sets_are_found_again_after_a_restart(data, archive):
    kept = data.add_zip(archive, "a.zip", CONFIG)
    again = DataSets(data.library.folder)
    assert again.library.get("a") == kept
    (data.library.folder / "broken.json").write_text("{")
    (data.library.folder / ".half.1.part").mkdir()
    assert DataSets(data.library.folder).library.names() == ("a",)
    assert ".half.1.part" not in list_files(data)


@pytest.mark.parametrize(
    "record", ["", "[]", '{"folder": null, "size": Infinity}', "[" * 9999, '{"folder": null, "size": 1, "check": {}}']
)
def test_a_damaged_record_hides_only_its_own_data_set(data, archive, record):
    name = data.add_zip(archive, "set.zip", Config()).name
    (data.library.folder / "other.json").write_text(record)
    values = json.loads((data.library.folder / f"{name}.json").read_text())
    values["check"]["splits"] = []
    (data.library.folder / "another.json").write_text(json.dumps(values))
    assert DataSets(data.library.folder).library.names() == (name,)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc.zip", "etc"),
        ("scenes.zip", "scenes-2"),
        (f"{KEY}.zip", f"{KEY}-2"),
        ("…", "data"),
        ("a" * 300 + ".zip", "a" * 40),
    ],
)
def test_names_are_plain_and_free(data, archive, title, name):
    assert data.add_zip(archive, title, CONFIG).name == name
    assert data.add_zip(archive, title, CONFIG).name not in (name, "scenes")


def test_a_broken_data_set_is_removed_and_its_issues_are_listed(data, tmp_path):
    content = coco_content()
    content["images"] += [
        {"id": number, "file_name": f"lost{number}.png", "width": 4, "height": 4} for number in (95, 96, 97)
    ]
    with pytest.raises(RefusedError, match=r"mine\.zip cannot be used: only 2 of 5 pictures are left") as caught:
        data.add_zip(zipped(coco(tmp_path / "set", content)), "mine.zip", CONFIG)
    assert str(tmp_path) not in str(caught.value)
    assert MISSING in [issue.kind for issue in caught.value.check.issues]
    assert list_files(data) == [] and data.library.names() == ()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_zip_is_removed(data, tmp_path, content):
    (tmp_path / "hash").write_bytes(content)
    with pytest.raises(DataError, match=r"mine\.zip") as error:
        data.add_zip(tmp_path / "hash", "mine.zip", CONFIG)
    assert str(tmp_path) not in str(error.value) and list_files(data) == []


def test_a_zip_that_leaves_its_folder_is_refused(data, tmp_path, archive):
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr("../outside.txt", "x")
    with pytest.raises(DataError, match=r"outside\.txt"):
        data.add_zip(archive, "mine.zip", CONFIG)
    assert list_files(data) == [] and not (tmp_path / "outside.txt").exists()


@pytest.mark.slow
def test_the_least_recently_used_is_removed_unless_it_is_in_use(tmp_path, archive):
    data = DataSets(tmp_path / "kept", Bounds(sets=2))
    first, second = (data.add_zip(archive, name, CONFIG).name for name in ("a", "b"))
    data.open_split(first, "train")
    third = data.add_zip(archive, "c", CONFIG).name
    assert data.library.names() == (first, third) and visible(data) == ["a", "a.json", "c", "c.json"]
    with pytest.raises(DataError, match="no data set 'b' here"):
        data.open_split(second, "train")
    running = [True]
    used = {first}
    data.protect(lambda kept: running[0] and kept.name in used)
    assert data.add_zip(archive, "d", CONFIG).name == "d" and data.library.names() == ("a", "d")
    used.add("d")
    with pytest.raises(DataError, match="no room for e"):
        data.add_zip(archive, "e", CONFIG)
    assert data.library.names() == ("a", "d") and len(visible(data)) == 4
    running[0] = False
    assert data.add_zip(archive, "e", CONFIG).name == "e"


def visible(data: DataSets) -> list[str]:
    """The files of data sets, without those in the trash."""
    return [name for name in list_files(data) if not name.startswith(".")]


def test_what_made_room_can_be_restored(tmp_path, archive):
    data = DataSets(tmp_path / "kept", Bounds(sets=2))
    for name in "abc":
        data.add_zip(archive, name, CONFIG, owner="me")
    assert data.library.names() == ("b", "c") and data.last_deleted("me").title == "a"
    data.delete("b", visitor="me")
    assert data.restore("me").name == "b"


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    monkeypatch.setattr("playground.sharing.shares.SHARE", Share(data_sets=2))


@pytest.mark.slow
def test_uploads_of_one_visitor_never_push_out_those_of_another(tmp_path, archive, apart):
    data = DataSets(tmp_path / "kept", Bounds(sets=3))
    data.add_zip(archive, "theirs", CONFIG, owner="you")
    for number in range(5):
        data.add_zip(archive, f"mine-{number}", CONFIG, owner="me")
    assert data.library.names() == ("mine-3", "mine-4", "theirs")
    with pytest.raises(DataError, match="belong to others"):
        data.add_zip(archive, "late", CONFIG, owner="third")
    assert data.library.names() == ("mine-3", "mine-4", "theirs")
    data.delete("mine-3", visitor="me")
    assert data.add_zip(archive, "late", CONFIG, owner="third").name == "late"
    with pytest.raises(DataError, match="at most 3 data sets"):
        data.restore("me")


@pytest.mark.slow
def test_a_visitor_whose_share_is_in_use_is_told_so(tmp_path, archive, apart):
    data = DataSets(tmp_path / "kept", Bounds(sets=9))
    for name in "ab":
        data.add_zip(archive, name, CONFIG, owner="me")
    data.protect(lambda kept: True)
    with pytest.raises(DataError, match=r"a visitor can have at most 2 data sets .* yours are in use"):
        data.add_zip(archive, "c", CONFIG, owner="me")
    assert data.add_zip(archive, "d", CONFIG, owner="you").name == "d"


@pytest.mark.slow
def test_the_disk_is_shared_too(tmp_path, archive, apart, monkeypatch):
    size = DataSets(tmp_path / "size").add_zip(archive, "a.zip", CONFIG).size
    monkeypatch.setattr("playground.sharing.shares.SHARE", Share(data_bytes=size))
    data = DataSets(tmp_path / "kept", Bounds(size=3 * size))
    data.add_zip(archive, "theirs", CONFIG, owner="you")
    for name in "ab":
        data.add_zip(archive, name, CONFIG, owner="me")
    assert data.library.names() == ("b", "theirs")


def test_what_belongs_to_nobody_makes_room_for_everybody(tmp_path, archive, apart):
    data = DataSets(tmp_path / "kept", Bounds(sets=1))
    data.add_zip(archive, "old", CONFIG)
    assert data.add_zip(archive, "new", CONFIG, owner="me").name == "new" and data.library.names() == ("new",)


@pytest.mark.slow
def test_the_total_size_is_bounded(tmp_path, archive):
    size = DataSets(tmp_path / "one").add_zip(archive, "a", CONFIG).size
    data = DataSets(tmp_path / "kept", Bounds(size=int(1.5 * size)))
    for name in "ab":
        data.add_zip(archive, name, CONFIG)
    assert data.library.names() == ("b",)
    with pytest.raises(DataError, match="no room"):
        DataSets(tmp_path / "small", Bounds(size=size - 1)).add_zip(archive, "a", CONFIG)
    with pytest.raises(DataError, match="more than"):
        DataSets(tmp_path / "tiny", Bounds(zip=Limits(files=3))).add_zip(archive, "a", CONFIG)


def test_only_folders_that_the_operator_allows_can_be_added(data, tmp_path):
    yolo(tmp_path / "open" / "set", {"p1": LINE, "p2": LINE})
    yolo(tmp_path / "secret", {"p1": LINE})
    with pytest.raises(DataError, match="cannot be used here: upload a zip"):
        data.add_folder("set", CONFIG)
    data.allow_folder(tmp_path / "open")
    (tmp_path / "open" / "link").symlink_to(tmp_path / "secret")
    for text in ("../secret", str(tmp_path / "secret"), "link", "", " ", "no", "\0", "a" * 5000):
        with pytest.raises(DataError, match="not a folder inside the one"):
            data.add_folder(text, CONFIG)
    kept = data.add_folder("set", CONFIG)
    assert kept.folder == tmp_path / "open" / "set" and list_files(data) == ["set.json"]
    assert data.add_folder(str(tmp_path / "open" / "set"), CONFIG).name == "set"
    (tmp_path / "open" / "none").mkdir()
    with pytest.raises(DataError, match="'none' holds no data set") as error:
        data.add_folder("none", CONFIG)
    assert str(tmp_path) not in str(error.value)


def test_a_folder_that_has_changed_is_read_anew_when_it_is_added_again(data, tmp_path):
    folder = yolo(tmp_path / "set", {f"p{number}": LINE for number in range(10)})
    data.allow_folder(tmp_path)
    name = data.add_folder("set", CONFIG).name
    assert len(data.open_split(name, "train")) == 8
    picture(folder / "images" / "p10.png")
    (folder / "labels" / "p10.txt").write_text(LINE)
    assert data.add_folder("set", CONFIG).splits["train"] == 9 == len(data.open_split(name, "train"))


def test_a_zip_in_two_formats_is_a_question_and_the_answer_is_kept(data, tmp_path):
    folder = voc(tmp_path / "set", {f"p{number}": voc_object() for number in range(10)})
    for number in range(10):
        path = folder / "JPEGImages" / f"p{number}.txt"
        path.write_text(LINE)
    (folder / "classes.txt").write_text("cat\n")
    archive = zipped(folder)
    with pytest.raises(AmbiguousFormatError) as error:
        data.add_zip(archive, "mine.zip", CONFIG)
    assert error.value.formats == ("voc", "yolo") and data.library.names() == ()
    assert str(error.value).startswith("mine.zip can be read in several formats")
    kept = data.add_zip(archive, "mine.zip", CONFIG, format="voc")
    assert kept.format == "voc" and kept.check.format == "Pascal VOC"
    restored = DataSets(data.library.folder)
    assert restored.library.get(kept.name) == kept
    assert restored.open_split(kept.name, "train").reading.startswith("Pascal VOC")
    assert restored.split(kept.name, "random", (0.5, 0.3, 0.2), CONFIG).splits == {"train": 5, "val": 3, "test": 2}


def test_a_folder_of_the_server_is_never_removed(tmp_path, archive):
    folder = yolo(tmp_path / "open" / "set", {"p1": LINE, "p2": LINE})
    data = DataSets(tmp_path / "kept", Bounds(sets=1))
    data.allow_folder(tmp_path)
    data.add_folder("open/set", CONFIG)
    data.add_zip(archive, "a", CONFIG)
    assert data.library.names() == ("a",) and (folder / "data.yaml").exists()


def test_a_data_set_without_val_can_be_added_and_split(data, tmp_path):
    kept = data.add_zip(zipped(coco(tmp_path / "set")), "one.zip", CONFIG)
    assert kept.splits == {"train": 2} and NO_VAL in [issue.kind for issue in kept.check.issues]
    with pytest.raises(DataError, match="no pictures for val: split it"):
        data.open_split("one", "val")
    split = data.split("one", "random", (0.5, 0.5, 0), CONFIG)
    assert split.splits == {"train": 1, "val": 1} and len(data.open_split("one", "val")) == 1
    assert (
        data.split("one", "given", (1, 0, 0), CONFIG).splits == {"train": 2}
        and len(data.open_split("one", "train")) == 2
    )


@pytest.mark.slow
def test_a_split_is_undone_whatever_was_before(data, archive):
    own = data.add_zip(archive, "a", CONFIG)
    names = {split: data.open_split("a", split).digest for split in own.splits}
    assert data.last_split() == ""
    first = data.split("a", "random", (0.5, 0.3, 0.2), CONFIG)
    assert data.last_split() == "a" and data.undo_split(CONFIG).splits == own.splits and data.last_split() == ""
    assert {split: data.open_split("a", split).digest for split in own.splits} == names
    data.split("a", "random", (0.5, 0.3, 0.2), CONFIG)
    data.split("a", "stratified", (0.8, 0.1, 0.1), CONFIG)
    assert data.undo_split(CONFIG).splits == first.splits  # lists that an earlier split wrote come back
    with pytest.raises(DataError, match="no split of yours to undo"):
        data.undo_split(CONFIG)
    data.split("a", "random", (0.8, 0.1, 0.1), CONFIG)
    data.protect(lambda kept: kept.name == "a")
    with pytest.raises(DataError, match="in use"):
        data.undo_split(CONFIG)
    data.protect()
    data.delete("a")
    assert data.last_split() == ""


def test_an_impossible_split_changes_nothing(data, archive):
    before = data.add_zip(archive, "a", CONFIG)
    for by, shares, said in [
        ("random", (0.5, 0.6, 0), "add up to 1"),
        ("magic", (1, 0, 0), "given, random, stratified"),
    ]:
        with pytest.raises(DataError, match=said):
            data.split("a", by, shares, CONFIG)
    data.protect(lambda kept: kept.name == "a")
    with pytest.raises(DataError, match="in use"):
        data.split("a", "random", (0.8, 0.1, 0.1), CONFIG)
    assert (
        data.library.get("a") == before and json.loads((data.library.folder / "a.json").read_text())["folder"] is None
    )


def test_a_deleted_data_set_can_be_restored(data, archive):
    kept = data.add_zip(archive, "a.zip", CONFIG)
    deleted = data.delete("a")
    assert data.library.names() == () and list_files(data) == [".trash"] and data.last_deleted() == deleted
    with pytest.raises(DataError, match="no data set"):
        data.open_split("a", "train")
    assert data.add_zip(archive, "a.zip", CONFIG).name == "a-2"  # the deleted one can be restored
    assert DataSets(data.library.folder).restore() == kept
    assert DataSets(data.library.folder).open_split("a", "val")[0].labels.tolist() == [0]
    with pytest.raises(DataError, match="no deleted data set of yours"):
        data.restore()


def test_a_data_set_in_use_is_not_deleted(data, archive):
    data.add_zip(archive, "a.zip", CONFIG)
    data.protect(lambda kept: kept.name == "a")
    with pytest.raises(DataError, match="in use by a run or an evaluation"):
        data.delete("a")
    with pytest.raises(DataError, match="no data set"):
        data.delete("b")


def test_deleted_data_sets_are_removed_first_to_make_room(tmp_path, archive):
    size = DataSets(tmp_path / "size").add_zip(archive, "a.zip", CONFIG).size
    data = DataSets(tmp_path / "kept", Bounds(size=2 * size))
    for name in ("a", "b"):
        data.add_zip(archive, name, CONFIG)
    data.delete("a")
    data.add_zip(archive, "c", CONFIG)
    assert data.last_deleted() is None and data.library.names() == ("b", "c")


def test_a_folder_of_the_server_is_added_once_and_stays_when_it_is_deleted(data, tmp_path):
    data.allow_folder(tmp_path)
    folder = yolo(tmp_path / "set", {f"p{number}": LINE for number in range(10)})
    kept = data.add_folder("set", CONFIG, owner="first")
    again = data.add_folder("set", CONFIG, owner="second")
    assert (again.name, again.owner) == (kept.name, "first") and data.library.names() == ("set",)
    data.delete("set")
    assert (folder / "data.yaml").is_file() and data.library.names() == ()
    assert data.restore().folder == folder


def test_a_folder_with_pictures_of_visitors_is_refused(data, tmp_path):
    yolo(tmp_path / "albums" / KEY / "training-1", {"a": LINE})
    (tmp_path / "link").symlink_to(tmp_path / "albums")
    data.allow_folder(tmp_path.parent)
    for name in ("albums", f"albums/{KEY}", f"albums/{KEY}/training-1", ".", "link", f"link/{KEY}/training-1"):
        with albums_at(tmp_path / "albums"), pytest.raises(DataError, match="pictures of visitors, which are private"):
            data.add_folder(str(Path(tmp_path.name, name)), CONFIG)
    assert data.library.names() == ()

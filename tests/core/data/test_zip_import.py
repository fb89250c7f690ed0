import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from core.data.files import MAX_DEPTH, list_files
from core.data.folders import open_folder, read_data_set
from core.data.reading.format_detection import AmbiguousFormatError
from core.data.untrusted import DataError
from core.data.zips import entries
from core.data.zips.entries import Limits
from core.data.zips.importing import import_zip, unpack
from tests.core.made_data import coco, voc, voc_object, yolo
from tests.effort import little_effort


def pack(archive: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(archive, "w", compression) as content:
        for name, data in files.items():
            content.writestr(name, data)
    return archive


def packed(archive: Path, folder: Path, prefix: str = "") -> Path:
    files = {path for path in folder.rglob("*") if path.is_file()}
    return pack(archive, {prefix + path.relative_to(folder).as_posix(): path.read_bytes() for path in files})


def remains(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def refused(tmp_path: Path, archive: Path, message: str, limits: Limits | None = None) -> None:
    """Asserts that the zip is refused and leaves no files behind."""
    before = remains(tmp_path)
    with pytest.raises(DataError, match=message) as error:
        import_zip(archive, tmp_path / "new", Path.exists, *([limits] if limits else []))
    assert remains(tmp_path) == before
    assert ".part" not in str(error.value)


@pytest.mark.parametrize("prefix", ["", "set/", "a/b/c/"])
@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_a_data_set_is_found_and_opens(tmp_path, kind, prefix):
    if kind == "coco":
        made = coco(tmp_path / "made")
    elif kind == "voc":
        made = voc(tmp_path / "made", {"p": voc_object()}, {"train": "p"})
    else:
        made = yolo(tmp_path / "made", {"train/p": "0 0.5 0.5 0.5 0.5"})
    archive = packed(tmp_path / "set.zip", made, prefix)
    with zipfile.ZipFile(archive, "a") as content:
        content.writestr("__MACOSX/._x", b"rubbish")
        content.writestr(f"{prefix}.DS_Store", b"rubbish")
    assert import_zip(archive, tmp_path / "new", lambda folder: folder.is_dir()) is True
    assert remains(tmp_path / "new") == remains(made)
    assert len(open_folder(tmp_path / "new", "train")) == len(open_folder(made, "train"))
    assert not list(tmp_path.glob(".*"))


def test_a_rejected_data_set_leaves_nothing_behind(tmp_path):
    archive = packed(tmp_path / "set.zip", coco(tmp_path / "made"))

    def accept(folder: Path) -> None:
        raise DataError(f"{folder}/train.json is not to my liking")

    with pytest.raises(DataError, match=r"^train\.json is not"):
        import_zip(archive, tmp_path / "new", accept)
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".*"))


def test_an_existing_folder_stays(tmp_path):
    archive = packed(tmp_path / "set.zip", coco(tmp_path / "made"))
    (tmp_path / "new").mkdir()
    refused(tmp_path, archive, "new already exists")
    (tmp_path / "new").rmdir()
    (tmp_path / "new").symlink_to(tmp_path / "nowhere")
    refused(tmp_path, archive, "new already exists")


@pytest.mark.parametrize(
    "name",
    [
        "../x.png",
        "a/../../x.png",
        "/etc/x.png",
        "a\\..\\x.png",
        "C:\\x.png",
        "a\nb.png",
        "a\tb.png",
        "a\u2028b.png",
        "\\\\server\\x.png",
        "a" * 300,
        "b/" * 600 + "c",
        "..",
    ],
)
def test_paths_that_leave_the_folder(tmp_path, name):
    refused(
        tmp_path, pack(tmp_path / "set.zip", {"train.json": b"{}", name: b"x"}), "which is not a path inside a folder"
    )


def test_a_name_with_a_null_byte(tmp_path):
    archive = pack(tmp_path / "set.zip", {"train.json": b"{}", "a_b.png": b"x"})
    archive.write_bytes(archive.read_bytes().replace(b"a_b.png", b"a\0b.png"))
    refused(tmp_path, archive, "not a path inside a folder|differ")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(tmp_path, kind):
    entry = zipfile.ZipInfo("images/a.png")
    entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as content:
        content.writestr("train.json", "{}")
        content.writestr(entry, "/etc/passwd")
    refused(tmp_path, tmp_path / "set.zip", r"images/a\.png', which is a link or device")


def test_two_files_of_one_name_or_a_file_for_a_folder(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "set.zip", "w") as content:
        content.writestr("a", "1")
        content.writestr("a", "2")
    refused(tmp_path, tmp_path / "set.zip", r"^set\.zip holds 'a' twice: pack it again with each file once\.$")
    message = r"^other\.zip holds 'a' both as a file and as a folder: rename one of them\.$"
    refused(tmp_path, pack(tmp_path / "other.zip", {"a": b"1", "a/b/c": b"2"}), message)
    refused(tmp_path, pack(tmp_path / "other.zip", {"a/b/c": b"2", "a": b"1"}), message)


def test_names_that_differ_only_in_capitals_or_accents_are_two_files(tmp_path):
    names = ("a.png", "A.png", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png", "cafe\N{COMBINING ACUTE ACCENT}.png")
    archive = pack(tmp_path / "set.zip", {name: name.encode() for name in names})
    (tmp_path / "content").mkdir()
    unpack(archive, tmp_path / "content")
    assert {name: (tmp_path / "content" / name).read_bytes() for name in names} == {n: n.encode() for n in names}


@pytest.mark.parametrize("present", ["file", "folder", "file for the folder"])
def test_names_that_the_disk_does_not_keep_apart(tmp_path, present):
    content = tmp_path / "content"
    taken = content / "images" if present == "file for the folder" else content / "images" / "A.png"
    taken.parent.mkdir(parents=True)
    taken.mkdir() if present == "folder" else taken.write_bytes(b"")  # as "images/a.png" on such a disk
    archive = pack(tmp_path / "set.zip", {"images/A.png": b"1"})
    message = r"^set\.zip holds 'images/A\.png' and a file or folder whose name this disk does not tell from it: rename"
    with pytest.raises(DataError, match=message):
        unpack(archive, content)


def test_folders_inside_each_other_are_bounded(tmp_path):
    deep = "/".join("a" * (MAX_DEPTH + 1))
    archive = pack(tmp_path / "set.zip", {f"{deep}/a.txt": b""})
    refused(tmp_path, archive, "in more than 32 folders: pack it without them")
    made = coco(tmp_path / "made")
    (made / deep[2:]).mkdir(parents=True)
    assert list_files(made).images
    (made / deep).mkdir(parents=True)
    with pytest.raises(DataError, match="made has more than 32 folders inside each other: move the files up"):
        read_data_set(made)


def test_backslashes_are_folders(tmp_path):
    archive = packed(tmp_path / "set.zip", coco(tmp_path / "made"))
    archive.write_bytes(archive.read_bytes().replace(b"images/", b"images\\"))
    import_zip(archive, tmp_path / "new", Path.exists)
    assert remains(tmp_path / "new") == remains(tmp_path / "made")
    unpack(pack(tmp_path / "other.zip", {"a\\": b"", "a\\b": b"1"}), tmp_path)
    assert (tmp_path / "a" / "b").read_bytes() == b"1"


@pytest.mark.parametrize(
    "name", ["a at 10\u202fAM.png", "a\xa0b.png", "soft\xadhyphen.png", "zero\u200bwidth.png", "💡.png"]
)
def test_letters_that_are_not_printable_are_harmless(tmp_path, name):
    unpack(pack(tmp_path / "set.zip", {name: b"x"}), tmp_path)
    assert (tmp_path / name).read_bytes() == b"x"


@pytest.mark.parametrize(
    "name", ["Icon\r", "a/Icon\r", "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "$RECYCLE.BIN/x.jpg", "._a"]
)
def test_junk_is_not_unpacked(tmp_path, name):
    unpack(pack(tmp_path / "set.zip", {name: b"x", "b": b""}), tmp_path)
    assert remains(tmp_path) == {"set.zip", "b"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Rar!\x1a\x07\x01\0xxxx", "is a RAR archive, not a zip: unpack it and pack its folder as a zip"),
        (b"7z\xbc\xaf\x27\x1cxxxx", "is a 7z archive"),
        (b"\x1f\x8b\x08xxxx", r"is a gzip or tar\.gz archive"),
        (b"a" * 257 + b"ustar\x0000", "is a tar archive"),
        (b"", "is not a zip or is damaged, since it is empty: pack or copy it again"),
        (b"\n<!DOCTYPE html><html>", "is a web page, not a zip: download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1", "is a pointer of Git LFS"),
        (b"PK\x03\x04xxxx", "is not a zip or is damaged: pack or copy it again"),
        (b"cat, dog", "is not a zip or is damaged: pack or copy it again"),
    ],
)
def test_other_files_are_named(tmp_path, content, message):
    (tmp_path / "set.zip").write_bytes(content)
    refused(tmp_path, tmp_path / "set.zip", rf"set\.zip {message}")


@pytest.mark.parametrize("inner", ["images.zip", "data/images.tar.gz", "x.7z", "x.RAR"])
def test_archives_inside_are_named(tmp_path, inner):
    message = rf"{inner.rpartition('/')[2]} is an archive, which is not read: unpack it there\.$"
    refused(tmp_path, pack(tmp_path / "set.zip", {inner: b"x"}), message)
    files = {inner: b"x", "a.xml": f"<annotation>{voc_object()}</annotation>".encode()}
    with pytest.raises(DataError, match=message):
        import_zip(pack(tmp_path / "set.zip", files), tmp_path / "new", read_data_set)


def test_limits(tmp_path, monkeypatch):
    files = {f"images/{number}": os.urandom(1000) for number in range(10)}
    archive = pack(tmp_path / "set.zip", files)
    refused(tmp_path, archive, "10 files, more than 9", Limits(files=9))
    refused(tmp_path, archive, "holds more than", Limits(size=9_999))
    refused(tmp_path, archive, "holds no data set", Limits(files=10, size=10_000))
    bomb = pack(tmp_path / "bomb.zip", {"zeros": bytes(5 * 2**20)})
    refused(tmp_path, bomb, "holds no data set")  # a blank picture, perhaps
    monkeypatch.setattr(entries, "MIN_RATIO_BYTES", 2**20)
    refused(tmp_path, bomb, "grows more than 200-fold")
    refused(tmp_path, bomb, "holds no data set", Limits(ratio=2000))


@pytest.mark.slow
@pytest.mark.parametrize("many", [70_000, 1000])
def test_a_directory_too_large_is_not_read(tmp_path, many, monkeypatch):
    archive = pack(tmp_path / "set.zip", {f"images/{'n' * 100}{number}": b"" for number in range(many)})
    monkeypatch.setattr(zipfile, "ZipFile", None)
    refused(tmp_path, archive, "lists far more than 10 files", Limits(files=10))


@pytest.mark.parametrize("pointed_at", ["the small record", "nowhere"])
def test_a_directory_that_two_records_describe_is_not_read(tmp_path, pointed_at, monkeypatch):
    archive = pack(tmp_path / "set.zip", {f"images/{'n' * 100}{number}": b"" for number in range(1000)})
    content, end = archive.read_bytes()[:-22], archive.read_bytes()[-22:]
    size, offset = struct.unpack_from("<LL", end, 12)
    small, real = (struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, s, offset) for s in (46, size))
    there = len(content) if pointed_at == "the small record" else 2**64 - 1
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, there, 1)
    archive.write_bytes(content + small + real + locator + end[:12] + b"\xff" * 8 + end[20:])
    monkeypatch.setattr(zipfile, "ZipFile", None)
    refused(tmp_path, archive, "lists far more than 10 files", Limits(files=10))


def test_a_file_larger_than_it_says(tmp_path):
    archive = pack(tmp_path / "set.zip", {"train.json": b"x" * 5000}, zipfile.ZIP_STORED)
    content = archive.read_bytes()
    assert content.count(struct.pack("<L", 5000)) == 4  # both sizes, in the file's head and in the directory
    at = content.rindex(struct.pack("<L", 5000))
    archive.write_bytes(content[:at] + struct.pack("<L", 50) + content[at + 4 :])
    refused(tmp_path, archive, "larger than it says|is damaged")


@pytest.mark.parametrize("cut", [0.5, 0.98])
def test_a_truncated_zip(tmp_path, cut):
    archive = packed(tmp_path / "set.zip", coco(tmp_path / "made"))
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * cut)])
    refused(tmp_path, archive, "is not a zip or is damaged")


def test_one_wrong_byte(tmp_path):
    archive = pack(tmp_path / "set.zip", {"train.json": os.urandom(5000)}, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[2000] ^= 1
    archive.write_bytes(content)
    refused(tmp_path, archive, "is not a zip or is damaged")


@pytest.mark.slow
def test_any_byte_may_be_wrong(tmp_path):
    """Damage anywhere either raises one of our errors or does not affect the data set."""
    archive = packed(tmp_path / "set.zip", yolo(tmp_path / "made", {"train/p": "0 0.5 0.5 0.5 0.5"}))
    content = archive.read_bytes()
    for at in range(0, len(content), 7):
        (tmp_path / "bad.zip").write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
        (tmp_path / "there").mkdir()
        try:
            unpack(tmp_path / "bad.zip", tmp_path / "there")
        except (DataError, OSError) as error:
            assert not isinstance(error, OSError) or error.errno
        for path in sorted((tmp_path / "there").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (tmp_path / "there").rmdir()


def test_encrypted_or_unusual(tmp_path):
    refused(
        tmp_path,
        pack(tmp_path / "set.zip", {"a": b"x"}, zipfile.ZIP_BZIP2),
        "'a', compressed with bzip2: pack it with deflate",
    )
    archive = pack(tmp_path / "locked.zip", {"a": b"x"})
    content = bytearray(archive.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    archive.write_bytes(content)
    refused(tmp_path, archive, "'a', which is encrypted: pack it without a password")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06", b"PK\x05\x06" + bytes(18)])
def test_not_a_zip(tmp_path, content):
    (tmp_path / "set.zip").write_bytes(content)
    refused(tmp_path, tmp_path / "set.zip", "is not a zip or is damaged|holds no data set")


def test_a_missing_file_and_a_full_disk(tmp_path, monkeypatch):
    refused(tmp_path, tmp_path / "none.zip", "cannot be unpacked into .*No such file")
    archive = packed(tmp_path / "set.zip", coco(tmp_path / "made"))
    monkeypatch.setattr("core.data.zips.importing.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    refused(tmp_path, archive, "but 0.0 GB are free: make room")


def test_a_zip_in_two_formats_is_a_question(tmp_path):
    archive = packed(tmp_path / "set.zip", coco(voc(tmp_path / "made", {"p": voc_object()})))
    with pytest.raises(AmbiguousFormatError, match=r"^set\.zip can be read in several formats") as error:
        import_zip(archive, tmp_path / "new", lambda folder: read_data_set(folder))
    assert error.value.formats == ("coco", "voc") and not (tmp_path / "new").exists()
    contents = import_zip(archive, tmp_path / "new", lambda folder: read_data_set(folder, "voc"), format="voc")
    assert contents.format.key == "voc" and (tmp_path / "new" / "train.json").exists()
    with pytest.raises(DataError, match=r"set\.zip holds no data set in a known format .*: YOLO\."):
        import_zip(archive, tmp_path / "other", lambda folder: read_data_set(folder, "yolo"), format="yolo")


def test_folders_that_are_only_part_of_a_path_count(tmp_path):
    archive = pack(tmp_path / "set.zip", {f"{number}/a/b/c.txt": b"" for number in range(10)})
    refused(tmp_path, archive, "holds more than 29 folders: pack fewer", Limits(files=29))
    refused(tmp_path, archive, "holds no data set", Limits(files=30))


@pytest.mark.slow
def test_a_small_zip_makes_no_folders_without_end(tmp_path):
    deep = "/".join("f" for _ in range(MAX_DEPTH - 1))
    archive = pack(tmp_path / "set.zip", {f"{number}/{deep}/a": b"" for number in range(1000)}, zipfile.ZIP_STORED)
    with little_effort(2):
        refused(tmp_path, archive, "holds more than 20,000 folders", Limits(files=20_000))


def test_files_that_share_their_bytes_are_refused(tmp_path):
    archive = pack(tmp_path / "set.zip", {"a.txt": b"x" * 5000, "b.txt": b"y" * 5000}, zipfile.ZIP_STORED)
    content = archive.read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    first = content[start : content.index(b"PK\x01\x02", start + 4)]
    entries = b"".join(first.replace(b"a.txt", b"%05d" % number) for number in range(100))
    tail = content[end : end + 8] + struct.pack("<HHLLH", 100, 100, len(entries), start, 0)
    archive.write_bytes(content[:start] + entries + tail)
    refused(tmp_path, archive, "has files that share their bytes: pack it again")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("images/a:b.png", "whose name Windows does not allow"),
        ("images/aux.png", "whose name Windows does not allow"),
        ("con/a.png", "in a folder that Windows does not allow"),
        ("images/a.png.", "whose name Windows does not allow"),
        ("/".join(["a" * 100] * 3), "whose path would have more than the 259 characters of Windows"),
    ],
)
def test_names_of_other_systems_are_refused_by_windows_alone(tmp_path, monkeypatch, name, fault):
    archive = pack(tmp_path / "set.zip", {name: b"a"})
    (tmp_path / "there").mkdir()
    unpack(archive, tmp_path / "there")
    assert (tmp_path / "there" / name).read_bytes() == b"a"
    monkeypatch.setattr(entries, "ALLOWS_ANY_NAME", False)
    refused(tmp_path, archive, rf"^set\.zip holds '.*, {fault}: rename it there, or unpack it elsewhere\.$")

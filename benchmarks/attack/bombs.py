"""Small files that are made to take much time or memory."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

from PIL import Image

from benchmarks.attack.data_sets import CONFIG, make_zip
from benchmarks.attack.outcome import Attempt
from core.io.paths import hide_folder
from core.weights.architecture import WeightsError
from core.weights.sources import load_weights
from playground.data.datasets import DataSets
from playground.data.picture import open_upload

PROTOCOL, MARK, EMPTY_DICT, SETITEM, STOP = b"\x80\x02", b"(", b"}", b"s", b"."
LABEL = b"0 0.5 0.5 0.5 0.5\n"


def attack_with_bombs(folder: Path) -> Attempt:
    """Prepares files whose effort grows faster than their size."""
    data = DataSets(folder / "data")

    def attempt(random: Random) -> None:
        name, make = random.choice(sorted(BOMBS.items()))
        path = folder / name
        path.write_bytes(make(random))
        if path.suffix == ".pth":
            try:
                load_weights(str(path))
            except WeightsError as error:  # as the page says it
                raise WeightsError(hide_folder(str(error), folder, name)) from None
        elif path.suffix == ".zip":
            data.add_zip(path, name, CONFIG)
        else:
            open_upload(str(path), name, ())

    return attempt


def _pickle_key(random: Random) -> bytes:
    """A key of a dictionary made of tuples in tuples, whose hash takes 3ⁿ steps."""
    depth = random.randint(20, 200)
    nested = b"K\x01" + b"".join(b"q%c0(h%ch%ch%ct" % (0, 0, 0, 0) for _ in range(depth))
    return PROTOCOL + EMPTY_DICT + nested + b"K\x01" + SETITEM + STOP


def _pickle_zip(random: Random) -> bytes:
    files = {"archive/data.pkl": _pickle_key(random), "archive/version": b"3\n", "archive/byteorder": b"little"}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, value in files.items():
            archive.writestr(name, value)
    return content.getvalue()


def _with_yaml(text: str) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "png")
    files = {"data.yaml": text.encode()}
    for number in range(3):
        files |= {f"images/{number}.png": picture.getvalue(), f"labels/{number}.txt": LABEL}
    return make_zip(files)


def _yaml_aliases(random: Random) -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    for number in range(1, random.randint(5, 30)):
        lines.append(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 8)}]")
    return _with_yaml("\n".join([*lines, f"names: *a{len(lines) - 1}", f"train: *a{len(lines) - 1}"]))


def _yaml_depth(random: Random) -> bytes:
    depth = random.randint(100, 100_000)
    return _with_yaml(f"names: {'[' * depth}{']' * depth}")


def _yaml_loop(random: Random) -> bytes:
    return _with_yaml("names: &a [*a, *a]\ntrain: &b {c: *b}\n")


def _json_of(annotations: str) -> bytes:
    text = f'{{"images": [], "categories": [], "annotations": {annotations}}}'
    return make_zip({"annotations.json": text.encode()})


def _json_objects(random: Random) -> bytes:
    return _json_of(f"[{','.join(['{}'] * random.randint(10**5, 10**7))}]")


def _json_depth(random: Random) -> bytes:
    depth = random.randint(500, 10**6)
    return _json_of("[" * depth + "]" * depth)


def _json_number(random: Random) -> bytes:
    return _json_of("9" * random.randint(4000, 10**6))


def _folders(random: Random) -> bytes:
    return make_zip({"/".join("d" for _ in range(random.randint(50, 900))) + f"/{n}.txt": b"" for n in range(200)})


def _zeros(random: Random) -> bytes:
    return make_zip({"annotations.json": b"\0" * random.randint(10**6, 3 * 10**8)})


def _many_entries(random: Random) -> bytes:
    return make_zip({f"{number}.txt": b"" for number in range(random.randint(10**4, 10**5))})


def _xml_entities(random: Random) -> bytes:
    entities = '<!ENTITY a0 "xxxxxxxxxx">' + "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, random.randint(5, 12))
    )
    text = f"<!DOCTYPE a [{entities}]><annotation><object><name>&a4;</name></object></annotation>"
    return make_zip({"Annotations/a.xml": text.encode()})


def _csv_line(random: Random) -> bytes:
    return make_zip({"labels.csv": b"a.jpg,1,2,3,4,cat" + b"," * random.randint(10**5, 10**7)})


def _png_size(random: Random) -> bytes:
    side = random.choice((30_000, 65_535, 2**31 - 1))

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 10**6))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def _jpeg_scans(random: Random) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (random.choice((64, 1024)),) * 2).save(file, "jpeg", progressive=True)
    content = file.getvalue()
    start = content.rindex(b"\xff\xda")
    scan = content[start:-2]
    return content[:start] + scan * random.randint(100, 8000) + content[-2:]


def _gif_frames(random: Random) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("P", (500, 500), number % 255) for number in range(random.randint(2, 100))]
    frames[0].save(file, "gif", save_all=True, append_images=frames[1:])
    return file.getvalue()


def _strings(random: Random) -> bytes:
    names = json.dumps(["x" * random.randint(10**4, 10**6)] * 20)
    return _with_yaml(f"names: {names}")


BOMBS: dict[str, Callable[[Random], bytes]] = {
    "key.pth": _pickle_key,
    "key in a zip.pth": _pickle_zip,
    "aliases.zip": _yaml_aliases,
    "depth.zip": _yaml_depth,
    "loop.zip": _yaml_loop,
    "objects.zip": _json_objects,
    "json depth.zip": _json_depth,
    "number.zip": _json_number,
    "folders.zip": _folders,
    "zeros.zip": _zeros,
    "entries.zip": _many_entries,
    "entities.zip": _xml_entities,
    "csv.zip": _csv_line,
    "strings.zip": _strings,
    "size.png": _png_size,
    "scans.jpg": _jpeg_scans,
    "frames.gif": _gif_frames,
}

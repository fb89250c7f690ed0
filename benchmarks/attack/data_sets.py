"""Altered data sets in the layouts of all tools, uploaded as zips."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from random import Random

from benchmarks.attack.mutations import NASTY_TEXTS, alter_bytes, alter_text, alter_value, write_json
from benchmarks.attack.outcome import Attempt
from core.config import Config
from playground.data.datasets import DataSets
from playground.data.stored.bounds import Bounds
from tests.core.data.layouts import LAYOUTS

CONFIG = Config()
PICTURES = (".jpg", ".png")
Files = dict[str, bytes]


def attack_data_sets(folder: Path) -> Attempt:
    """Prepares data sets with an altered text file, name or picture."""
    return _prepare(folder, is_inside=True)


def attack_zips(folder: Path) -> Attempt:
    """Prepares altered archives."""
    return _prepare(folder, is_inside=False)


def _prepare(folder: Path, *, is_inside: bool) -> Attempt:
    valid = _make_valid()
    data = DataSets(folder / "data", Bounds(sets=2))

    def attempt(random: Random) -> None:
        files = dict(valid[random.choice(sorted(valid))])
        archive = folder / "set.zip"
        content = make_zip(_alter_file(files, random) if is_inside else files)
        archive.write_bytes(content if is_inside else alter_bytes(content, random))
        data.add_zip(archive, "set.zip", CONFIG)

    return attempt


def make_zip(files: Files) -> bytes:
    """Returns a zip of some files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def _make_valid() -> dict[str, Files]:
    found = {}
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as place:
            layout.write(Path(place))
            paths = [path for path in sorted(Path(place).rglob("*")) if path.is_file()]
            found[name] = {str(path.relative_to(place)): path.read_bytes() for path in paths}
    return found


def _alter_file(files: Files, random: Random) -> Files:
    texts = [name for name in files if not name.endswith(PICTURES)]
    match random.randrange(10):
        case 0:
            name = random.choice(sorted(files))
            nasty = random.choice(NASTY_TEXTS).replace("\ud800", "?")[:200]
            files[(nasty + name).replace("\0", "a\0")] = files.pop(name)
        case 1:
            name = random.choice(sorted(files))
            files[name] = alter_bytes(files[name], random)
        case 2:
            del files[random.choice(sorted(files))]
        case 3:
            files["data.yaml"] = alter_text("names: [cat, dog]\ntrain: images/train\nval: images/val\n", random).encode(
                errors="replace"
            )
        case _:
            name = random.choice(sorted(texts))
            files[name] = _alter_content(name, files[name], random)
    return files


def _alter_content(name: str, content: bytes, random: Random) -> bytes:
    if name.endswith(".json") and random.random() < 0.7:
        return write_json(alter_value(json.loads(content), random)).encode()
    return alter_text(content.decode(errors="replace"), random).encode(errors="replace")

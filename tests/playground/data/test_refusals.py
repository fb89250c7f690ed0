"""Refusals of data sets in every format: their messages on the page are short and tell no path of the server."""

import random
from pathlib import Path

import pytest

from core.data.folders import read_data_set
from core.data.untrusted import IMAGE_SUFFIXES
from core.errors import MAX_MESSAGE, UserError
from playground.support.wording import name_knobs
from tests.core.data.layouts import LAYOUTS

pytestmark = pytest.mark.slow

TRIES = 12  # of each layout
INSERTED = (b"", b'"', b"[", b"{", b"<", b"/etc/passwd", b"../x", b"9" * 500, b"\xff\xfe", b"x" * 3000, b",", b"\n\n")


def damage(folder: Path, rng: random.Random) -> None:
    """Removes an annotation file or a picture, or damages some of the annotations."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    texts = [path for path in files if path.suffix.lower() not in IMAGE_SUFFIXES]
    if rng.random() < 0.2:
        rng.choice(files).unlink()
    for path in rng.sample(texts, rng.randint(1, len(texts))):
        if path.exists():
            content = path.read_bytes()
            start = rng.randrange(len(content) + 1)
            path.write_bytes(content[:start] + rng.choice(INSERTED) + content[start + rng.choice((0, 0, 1, 40)) :])


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_refusal_tells_where_the_data_set_lies(name, tmp_path):
    rng, refused = random.Random(name), 0
    for number in range(TRIES):
        folder = tmp_path / f"{number} with a space"
        LAYOUTS[name].write(folder)
        damage(folder, rng)
        for strict in (False, True):
            try:
                contents = read_data_set(folder, strict=strict)
                said = [contents.reading, contents.left_out.describe()]
            except UserError as error:
                said, refused = [name_knobs(error)], refused + 1
                assert len(str(error)) <= MAX_MESSAGE
            assert not [each for each in said if str(tmp_path) in each or str(tmp_path.parent) in each]
    assert refused


def test_a_name_of_thousands_of_characters_is_cut(tmp_path):
    with pytest.raises(UserError) as error:
        read_data_set(tmp_path / ("a" * 200 + "/") / ("b" * 200) / ("c" * 200))
    said = str(error.value)
    assert len(said) <= MAX_MESSAGE and said.endswith("give an existing folder, or scenes.") and "…" in said

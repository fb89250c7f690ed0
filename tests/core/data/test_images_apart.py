"""Pictures that another process decodes."""

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.images import open_image, open_shrunk, read_image_size, read_image_sizes
from core.errors import PictureError
from core.reader import PAGE, Kind, read_apart_from_now_on
from playground.support.picture_limits import open_limited

pytestmark = pytest.mark.slow


@pytest.fixture
def files(tmp_path):
    """A large, an upright, a transparent and a damaged picture, and none."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 90, 4), dtype=np.uint8)
    image = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.convert("RGB").save(tmp_path / "upright.jpg", exif=exif)
    image.save(tmp_path / "transparent.png")
    image.convert("RGB").resize((5000, 40)).save(tmp_path / "large.png")
    (tmp_path / "damaged.png").write_bytes((tmp_path / "large.png").read_bytes()[:2000])
    (tmp_path / "text.jpg").write_text("no picture")
    return [
        tmp_path / name for name in ("upright.jpg", "transparent.png", "large.png", "damaged.png", "text.jpg", "no.png")
    ]


def look(path):
    try:
        return open_image(path)
    except PictureError as error:
        return str(error)


def test_another_process_decodes_and_refuses_the_same(apart, files, monkeypatch):
    there, sizes = [look(path) for path in files], list(map(str, read_image_sizes(files)))
    shrunk = open_shrunk(files[2], 2000)
    with pytest.raises(PictureError, match=r"^The picture me cannot be decoded \(.*\): it is damaged or incomplete"):
        open_limited(files[3], "me")
    monkeypatch.setattr("core.reader.limits._choice", None)
    for one, other in zip(there, map(look, files), strict=True):
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    assert [type(each) for each in there] == [torch.Tensor] * 3 + [str] * 3
    assert sizes == list(map(str, read_image_sizes(files))) and sizes[0] == "(60, 90)"
    assert read_image_size(files[0]) == (60, 90)
    assert shrunk[0].shape == (3, 16, 2000) and shrunk[1] and torch.equal(shrunk[0], open_shrunk(files[2], 2000)[0])


def test_a_picture_beyond_a_bound_is_refused_by_its_name(apart, files):
    read_apart_from_now_on(PAGE._replace(answer=1000), (Kind.PICTURES,))
    with pytest.raises(PictureError, match=r"^The picture me unfolds to more than 9.3e-07 GB: choose a smaller"):
        open_limited(files[2], "me")


def test_there_is_nothing_to_measure(apart):
    assert read_image_sizes([]) == []

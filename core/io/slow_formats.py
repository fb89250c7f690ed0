"""Fast decoders for formats that Pillow decodes value by value in Python: PPM and PGM that are not plain 8 bits."""

import re
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageFile

_COMMENT = re.compile(rb"#[^\r\n]*")
_MOST_OF_VALUE, _MOST_OF_REST = 16, 2**16  # bytes of a written value with the space around it, and of comments


def use_fast_decoder(image: ImageFile.ImageFile) -> None:
    """Makes an image that has been opened, but not loaded, use a decoder of this module if there is one for it."""
    image.tile = [each._replace(codec_name=_find_name(image, each.codec_name)) for each in image.tile]


def _find_name(image: ImageFile.ImageFile, name: str) -> str:
    """Returns the name of the fast decoder that does what one of Pillow does; its own name if there is none."""
    return name if image.mode == "1" else _NAMES.get(name, name)


class _PpmDecoder(ImageFile.PyDecoder):
    """Decodes binary PPM and PGM with values up to `args[-1]`, as Pillow does."""

    _pulls_fd = True

    def decode(self, buffer: Image.DecoderInput) -> tuple[int, int]:
        """Decodes all pixels."""
        assert self.fd is not None
        kind = np.dtype(">u2" if self.args[-1] > 255 else "u1")
        content = self.fd.read(self._count() * kind.itemsize)
        values = np.frombuffer(content[: len(content) // kind.itemsize * kind.itemsize], kind)
        return self._set(values, np.iinfo(kind).max)

    def _count(self) -> int:
        return self.state.xsize * self.state.ysize * Image.getmodebands(self.mode)

    def _set(self, values: np.ndarray, most: int) -> tuple[int, int]:
        """Scales values of at most `most` to the range of the mode."""
        white, kind = (65535, "<i4") if self.mode == "I" else (255, "u1")
        scaled = np.minimum(np.rint(np.arange(most + 1) / self.args[-1] * white), white).astype(kind)
        self.set_as_raw(scaled[values].tobytes(), "I;32" if self.mode == "I" else self.mode)
        return -1, 0


class _PlainDecoder(_PpmDecoder):
    """Decodes PPM and PGM whose values are written as decimal numbers."""

    def decode(self, buffer: Image.DecoderInput) -> tuple[int, int]:
        """Decodes all pixels.

        Raises:
            ValueError: A value is no number, or larger than is declared.
        """
        assert self.fd is not None
        most = _MOST_OF_VALUE * self._count() + _MOST_OF_REST  # what follows the pixels may be much more
        content = self.fd.read(most)
        text = _COMMENT.sub(b"", content)
        if re.search(rb"[^0-9\s]", text):
            raise ValueError("it holds values that are no numbers")
        values = np.fromstring(text.decode("ascii"), np.int64, sep=" ")
        if len(content) == most:
            values = values[:-1]  # the last one may be cut
        values = values[: self._count()]
        if len(values) < self._count() or values.max() > self.args[-1]:
            raise ValueError("it holds fewer values than its header declares, or larger ones")
        return self._set(values, self.args[-1])


_DECODERS = {"ppm": _PpmDecoder, "ppm_plain": _PlainDecoder}
_NAMES = MappingProxyType({name: f"fast_{name}" for name in _DECODERS})
for _name, _decoder in _DECODERS.items():
    Image.register_decoder(_NAMES[_name], _decoder)

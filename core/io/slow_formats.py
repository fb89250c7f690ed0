"""Fast decoders for formats that Pillow decodes value by value in Python: QOI, and PPM that is not plain 8 bits."""

import re
from array import array
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageFile

_COMMENT = re.compile(rb"#[^\r\n]*")
_QOI_DIFF, _QOI_LUMA, _QOI_RUN, _QOI_RGB, _QOI_RGBA = 0x40, 0x80, 0xC0, 0xFE, 0xFF  # with which an operation begins


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
        text = _COMMENT.sub(b"", self.fd.read())
        if re.search(rb"[^0-9\s]", text):
            raise ValueError("it holds values that are no numbers")
        values = np.fromstring(text.decode("ascii"), np.int64, sep=" ")[: self._count()]
        if len(values) < self._count() or values.max() > self.args[-1]:
            raise ValueError("it holds fewer values than its header declares, or larger ones")
        return self._set(values, self.args[-1])


class _QoiDecoder(ImageFile.PyDecoder):
    """Decodes QOI."""

    _pulls_fd = True

    def decode(self, buffer: Image.DecoderInput) -> tuple[int, int]:
        """Decodes all pixels."""
        assert self.fd is not None
        count = self.state.xsize * self.state.ysize
        pixels = np.array(_decode_qoi(self.fd.read(), count)[:count], "<u4").view(np.uint8).reshape(-1, 4)
        self.set_as_raw(pixels[:, : len(self.mode)].tobytes())
        return -1, 0


def _decode_qoi(content: bytes, count: int) -> "array[int]":
    """Returns the pixels of QOI without its header, at least `count`, red in the lowest eight bits of each.

    All is in one loop, and nothing in functions, which would take several times as long.

    Raises:
        IndexError: The content ends before.
    """
    seen = [0] * 64  # the last pixel with each hash
    red = green = blue = 0
    alpha, pixel, at = 255, 255 << 24, 0
    pixels = array("I")
    append, extend = pixels.append, pixels.extend
    while len(pixels) < count:
        code = content[at]
        at += 1
        if code < _QOI_DIFF:  # one of the pixels seen before
            pixel = seen[code]
            red, green, blue, alpha = pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255, pixel >> 24
            if not pixel:
                seen[0] = 0
            append(pixel)
            continue
        if code < _QOI_LUMA:
            red = red + (code >> 4 & 3) - 2 & 255
            green = green + (code >> 2 & 3) - 2 & 255
            blue = blue + (code & 3) - 2 & 255
        elif code < _QOI_RUN:
            others, step = content[at], (code & 63) - 32
            at += 1
            red = red + step + (others >> 4) - 8 & 255
            green = green + step & 255
            blue = blue + step + (others & 15) - 8 & 255
        elif code < _QOI_RGB:
            extend([pixel] * (code - _QOI_RUN + 1))
            continue
        else:
            red, green, blue = content[at], content[at + 1], content[at + 2]
            at += 3
            if code == _QOI_RGBA:
                alpha = content[at]
                at += 1
        pixel = red | green << 8 | blue << 16 | alpha << 24
        seen[red * 3 + green * 5 + blue * 7 + alpha * 11 & 63] = pixel
        append(pixel)
    return pixels


_DECODERS = {"ppm": _PpmDecoder, "ppm_plain": _PlainDecoder, "qoi": _QoiDecoder}
_NAMES = MappingProxyType({name: f"fast_{name}" for name in _DECODERS})
for _name, _decoder in _DECODERS.items():
    Image.register_decoder(_NAMES[_name], _decoder)

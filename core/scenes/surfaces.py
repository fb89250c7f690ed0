"""The surfaces on which the objects of a scene lie."""

from functools import cache

import numpy as np
from numpy import ndarray
from PIL import Image

from core.scenes.colours import Setting, oklch


def paint_surface(setting: Setting, size: int, rng: np.random.Generator) -> ndarray:
    """Paints paper, sand, wood or cloth in uneven light, float32 [3, size, size], 0 … 1."""
    grain = SURFACES[rng.integers(len(SURFACES))](size, rng)
    x = np.linspace(-0.1, 0.1, size, dtype=np.float32)
    tone = grain + (1 + x * setting.light[0] + x[:, None] * setting.light[1]) + 0.05 * _clouds(size, 4, 4, rng)
    wash = 0.18 * _clouds(size, 3, 3, rng)
    tint = oklch(0.7, 0.06, rng.uniform(0, 360)) - 0.62  # a slight local shift to another hue
    canvas = np.empty((3, size, size), dtype=np.float32)
    for plane, colour, shift in zip(canvas, setting.surface, tint, strict=True):
        np.multiply(tone, colour, out=plane)
        plane += wash * shift
    return canvas


@cache
def _resampling_weights(cells: int, size: int) -> ndarray:
    """Returns the weights that resample `cells` values to `size` values bicubically, float32 [cells, size]."""
    unit = Image.fromarray(np.eye(cells, dtype=np.float32))
    return np.asarray(unit.resize((size, cells), Image.Resampling.BICUBIC))


def _clouds(size: int, rows: int, columns: int, rng: np.random.Generator) -> ndarray:
    """Returns smooth noise with `rows` × `columns` control points, float32 [size, size], mostly −1 … 1."""
    return _resampling_weights(rows, size).T @ _fibres(rows, size, columns, rng)


def _fibres(rows: int, size: int, columns: int, rng: np.random.Generator) -> ndarray:
    """Returns noise that is smooth along each row but independent between rows, float32 [rows, size]."""
    return (2 * rng.random((rows, columns), dtype=np.float32) - 1) @ _resampling_weights(columns, size)


def _speckle(size: int, rng: np.random.Generator) -> ndarray:
    """Returns grains about two pixels wide, float32 [size, size], −1 … 1."""
    fine = 2 * rng.random((size + 1, size + 1), dtype=np.float32) - 1
    pairs = fine[1:] + fine[:-1]
    return (pairs[:, 1:] + pairs[:, :-1]) * np.float32(0.5)


def _paper(size: int, rng: np.random.Generator) -> ndarray:
    return 0.03 * _speckle(size, rng) + 0.02 * _clouds(size, 24, 24, rng)


def _sand(size: int, rng: np.random.Generator) -> ndarray:
    x = np.linspace(0, 1, size, dtype=np.float32)
    slope, waves = rng.uniform(-0.6, 0.6), rng.uniform(40, 70)
    phase = 4 * _clouds(size, 4, 4, rng) + (x[:, None] + x * np.float32(slope)) * np.float32(waves)
    return 0.035 * np.sin(phase) + 0.05 * _speckle(size, rng)


def _wood(size: int, rng: np.random.Generator) -> ndarray:
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    rings = np.sin(y * np.float32(rng.uniform(25, 45)) + 7 * _clouds(size, 4, 2, rng))
    planks = y * np.float32(rng.integers(2, 5)) + np.float32(rng.random())
    joint = np.abs(planks - np.rint(planks)) < 0.012
    grain = 0.03 * rings + 0.05 * _fibres(size, size, 6, rng) - np.float32(0.16) * joint
    return grain if rng.random() < 0.5 else grain.T


def _cloth(size: int, rng: np.random.Generator) -> ndarray:
    wave = np.sin(np.arange(size, dtype=np.float32) * np.float32(2 * np.pi / rng.uniform(4, 7)))
    threads = _fibres(size, size, 5, rng) + _fibres(size, size, 5, rng).T
    return 0.03 * (wave * wave[:, None]) + 0.03 * threads


SURFACES = (_paper, _sand, _wood, _cloth)

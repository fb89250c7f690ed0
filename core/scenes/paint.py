"""Colour and light of the scenes: the surface things lie on, their shadows and their shaded bodies."""

from functools import cache
from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from PIL import Image

from core.scenes.shapes import Outline, Texture

SHADOW = 0.42  # darkness of a full shadow
AMBIENT = 0.62  # light that reaches even the side turned away
SKIN_NUMBERS = 9  # random numbers an object's colours take
LIGHTNESSES = (0.9, 0.9, 0.8, 0.8, 0.66, 0.42)  # of surfaces, in OKLCH
# Hues that go well together, in degrees from a first one.
SCHEMES = ((0, 25, -25, 180), (0, 30, 150, 210), (0, 120, 240, 20), (0, 60, 180, 300))


class Setting(NamedTuple):
    """What all things of a picture share.

    Attributes:
        surface: float32 [3], RGB 0 … 1 of what they lie on.
        hues: Hues of the objects, in degrees.
        light: float32 [3], unit vector towards the lamp; y points down, z to the camera.
    """

    surface: ndarray
    hues: tuple[float, ...]
    light: ndarray


class Skin(NamedTuple):
    """How a body looks.

    Attributes:
        base: float32 [3], RGB 0 … 1.
        accent: float32 [3], RGB 0 … 1 of its texture.
        gloss: Strength of the highlight.
        texture: What is drawn on it; see `Kind`.
        traits: float32 [TRAITS], as the texture takes them.
    """

    base: ndarray
    accent: ndarray
    gloss: float
    texture: Texture
    traits: ndarray


def oklch(lightness: float, chroma: float, hue: float) -> ndarray:
    """Converts a colour from OKLCH (Ottosson 2020), hue in degrees, to sRGB, float32 [3], 0 … 1."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    # Plain numbers: for three values, arrays cost ten times as much.
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return np.array([_gamma(min(max(value, 0), 1)) for value in linear], dtype=np.float32)


def _gamma(linear: float) -> float:
    return 1.055 * linear ** (1 / 2.4) - 0.055 if linear > 0.0031308 else 12.92 * linear


def draw_setting(rng: np.random.Generator) -> Setting:
    """Draws a surface colour, a scheme of hues and the lamp's direction."""
    lightness = LIGHTNESSES[rng.integers(len(LIGHTNESSES))] + rng.uniform(-0.04, 0.04)
    first = rng.uniform(0, 360)
    hues = tuple(first + offset for offset in SCHEMES[rng.integers(len(SCHEMES))])
    colour = oklch(lightness, rng.uniform(0.015, 0.06), rng.uniform(0, 360))
    side = radians(rng.uniform(200, 340))  # from above, be it left or right
    light = np.array([0.62 * cos(side), 0.62 * sin(side), 0.785], dtype=np.float32)
    return Setting(colour, hues, light)


def draw_skin(numbers: ndarray, setting: Setting, texture: Texture, traits: ndarray) -> Skin:
    """Turns random numbers, float [SKIN_NUMBERS] in [0, 1), into an object's colours; its class has no say in them."""
    pick, nudge, light, depth, keep, other, rich, pale, gloss = numbers.tolist()
    hue = setting.hues[int(pick * len(setting.hues))] + 24 * nudge - 12
    lightness = 0.5 + 0.32 * light
    contrast = (0.16 + 0.18 * depth) * (1 if lightness < 0.64 else -1)
    accent_hue = hue if keep < 0.5 else setting.hues[int(other * len(setting.hues))]
    base = oklch(lightness, 0.06 + 0.09 * rich, hue)
    accent = oklch(lightness + contrast, 0.04 + 0.09 * pale, accent_hue)
    return Skin(base, accent, 0.05 + 0.5 * gloss, texture, traits)


# --- surface -----------------------------------------------------------------------------------------------------


def surface(setting: Setting, size: int, rng: np.random.Generator) -> ndarray:
    """Paints paper, sand, wood or cloth under an uneven light, float32 [3, size, size], 0 … 1."""
    grain = SURFACES[rng.integers(len(SURFACES))](size, rng)
    x = np.linspace(-0.1, 0.1, size, dtype=np.float32)
    tone = grain + (1 + x * setting.light[0] + x[:, None] * setting.light[1]) + 0.05 * _clouds(size, 4, 4, rng)
    wash = 0.18 * _clouds(size, 3, 3, rng)
    tint = oklch(0.7, 0.06, rng.uniform(0, 360)) - 0.62  # a breath of another hue in places
    canvas = np.empty((3, size, size), dtype=np.float32)
    for plane, colour, breath in zip(canvas, setting.surface, tint, strict=True):
        np.multiply(tone, colour, out=plane)
        plane += wash * breath
    return canvas


@cache
def _spread(cells: int, size: int) -> ndarray:
    """Returns the weights that resample `cells` values to `size` bicubically, float32 [cells, size]."""
    unit = Image.fromarray(np.eye(cells, dtype=np.float32))
    return np.asarray(unit.resize((size, cells), Image.Resampling.BICUBIC))


def _clouds(size: int, rows: int, columns: int, rng: np.random.Generator) -> ndarray:
    """Returns smooth noise with `rows` × `columns` swells, float32 [size, size], mostly −1 … 1."""
    return _spread(rows, size).T @ _fibres(rows, size, columns, rng)


def _fibres(rows: int, size: int, columns: int, rng: np.random.Generator) -> ndarray:
    """Returns noise that is smooth along each row but not from row to row, float32 [rows, size]."""
    return (2 * rng.random((rows, columns), dtype=np.float32) - 1) @ _spread(columns, size)


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


# --- bodies and shadows ------------------------------------------------------------------------------------------


class Relief(NamedTuple):
    """An outline's edge in pixels and the direction it faces.

    Attributes:
        distance: float32 [h, w], signed distance to the edge in pixels, negative inside; first order.
        x: float32 [h, w], unit vector away from the inside.
        y: float32 [h, w], the same.
    """

    distance: ndarray
    x: ndarray
    y: ndarray


def relief(outline: Outline) -> Relief:
    """Turns an outline's depth into pixels: a function over the length of its gradient."""
    x = _slope(outline.depth)
    y = _slope(outline.depth.T).T
    scale = 1 / np.sqrt(x * x + y * y + np.float32(1e-12))
    return Relief(outline.depth * scale, x * scale, y * scale)


def _slope(depth: ndarray) -> ndarray:
    """Returns central differences along each row, float32 [h, w]; `np.gradient` gives the same in twice the time."""
    slope = np.empty_like(depth)
    slope[:, 1:-1] = (depth[:, 2:] - depth[:, :-2]) * np.float32(0.5)
    slope[:, 0] = depth[:, 1] - depth[:, 0]
    slope[:, -1] = depth[:, -1] - depth[:, -2]
    return slope


def paint_solid(canvas: ndarray, outline: Outline, at: tuple[int, int], light: ndarray, skin: Skin) -> None:
    """Paints a body and its shadow into the canvas [3, S, S] in place, centred in pixel `at` (x, y)."""
    edge = relief(outline)
    cast_shadow(canvas, outline, edge, at, light)
    paint_body(canvas, outline, edge, at, light, skin)


def paint_flat(canvas: ndarray, outline: Outline, at: tuple[int, int], colour: ndarray, opacity: float) -> None:
    """Paints an outline in one colour, as if printed on the surface, into the canvas [3, S, S] in place."""
    here, there = _windows(canvas, outline, at)
    alpha = np.clip(0.5 - relief(outline).distance[there], 0, 1) * np.float32(opacity)
    canvas[here] += alpha * (colour[:, None, None] - canvas[here])


def cast_shadow(canvas: ndarray, outline: Outline, edge: Relief, at: tuple[int, int], light: ndarray) -> None:
    """Darkens the canvas [3, S, S] in place beside a thing centred in pixel `at` (x, y)."""
    thrown = 1.3 * outline.reach
    x, y = at[0] - round(float(light[0]) * thrown), at[1] - round(float(light[1]) * thrown)
    here, there = _windows(canvas, outline, (x, y))
    near = np.clip(0.5 - edge.distance[there] * np.float32(0.5 / outline.reach), 0, 1)
    canvas[here] *= 1 - np.float32(SHADOW) * near * near * (3 - 2 * near)


def paint_body(
    canvas: ndarray, outline: Outline, edge: Relief, at: tuple[int, int], light: ndarray, skin: Skin
) -> None:
    """Paints a thing's body into the canvas [3, S, S] in place, centred in pixel `at` (x, y)."""
    here, there = _windows(canvas, outline, at)
    alpha = np.clip(0.5 - edge.distance[there], 0, 1)
    mix, brightness = skin.texture(outline, skin.traits)
    shade, highlight = _light_up(outline, edge, light)
    shade *= brightness
    highlight *= np.float32(skin.gloss)
    # Channel by channel: the arrays stay small enough for the cache.
    for plane, base, accent in zip(canvas[here], skin.base, skin.accent, strict=True):
        colour = (base + (accent - base) * mix) * shade + highlight  # [h, w]
        plane += alpha * (colour[there] - plane)


def _light_up(outline: Outline, edge: Relief, light: ndarray) -> tuple[ndarray, ndarray]:
    """Lights the body as a dome; returns brightness (1 where it faces the camera) and highlight, each [h, w]."""
    tilt = np.clip(outline.depth + 1, 0, 1)  # flat at the deepest, steep at the edge
    level = np.sqrt(1 - tilt * tilt)
    facing = tilt * (edge.x * light[0] + edge.y * light[1])
    diffuse = np.maximum(facing + level * light[2], 0)
    # Half way between lamp and camera, for Blinn's highlight.
    half = np.float32(1 / np.sqrt(2 + 2 * light[2]))
    highlight = np.maximum((facing + level * (light[2] + 1)) * half, 0)
    for _ in range(5):
        highlight = highlight * highlight  # to the 32nd power
    return AMBIENT + np.float32((1 - AMBIENT) / light[2]) * diffuse, highlight


def _windows(canvas: ndarray, outline: Outline, at: tuple[int, int]) -> tuple[tuple, tuple]:
    """Returns the part of the canvas that a patch covers, and the part of the patch that is on the canvas."""
    height, width = outline.depth.shape
    left, top = at[0] + outline.left, at[1] + outline.top
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = max(min(left + width, canvas.shape[2]), x1), max(min(top + height, canvas.shape[1]), y1)
    return np.s_[:, y1:y2, x1:x2], np.s_[y1 - top : y2 - top, x1 - left : x2 - left]

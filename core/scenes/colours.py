"""The colours and the light of a scene."""

from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from core.scenes.shapes import Texture

SKIN_NUMBERS = 9  # random numbers for the colours of an object
LIGHTNESSES = (0.9, 0.9, 0.8, 0.8, 0.66, 0.42)  # of surfaces, in OKLCH
# Harmonious hues, in degrees from a first one.
SCHEMES = ((0, 25, -25, 180), (0, 30, 150, 210), (0, 120, 240, 20), (0, 60, 180, 300))


class Setting(NamedTuple):
    """The surface and the light that all objects of a scene share.

    Attributes:
        surface: float32 [3], RGB 0 … 1 of the surface.
        hues: Hues of the objects, in degrees.
        light: float32 [3], unit vector towards the lamp; y points down, z to the camera.
    """

    surface: ndarray
    hues: tuple[float, ...]
    light: ndarray


class Skin(NamedTuple):
    """The appearance of an object.

    Attributes:
        base: float32 [3], RGB 0 … 1.
        accent: float32 [3], RGB 0 … 1 of its texture.
        gloss: Strength of the highlight.
        texture: Its texture; see `core.scenes.shapes.ShapeClass`.
        traits: float32 [TRAITS], the texture's variation.
    """

    base: ndarray
    accent: ndarray
    gloss: float
    texture: Texture
    traits: ndarray


def oklch(lightness: float, chroma: float, hue: float) -> ndarray:
    """Converts a colour from OKLCH (Ottosson 2020), hue in degrees, to sRGB, float32 [3], 0 … 1."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    # Plain numbers: for three values, arrays are ten times slower.
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
    """Draws the surface colour, a scheme of hues and the direction of the lamp."""
    lightness = LIGHTNESSES[rng.integers(len(LIGHTNESSES))] + rng.uniform(-0.04, 0.04)
    first = rng.uniform(0, 360)
    hues = tuple(first + offset for offset in SCHEMES[rng.integers(len(SCHEMES))])
    colour = oklch(lightness, rng.uniform(0.015, 0.06), rng.uniform(0, 360))
    side = radians(rng.uniform(200, 340))  # from above, left or right
    light = np.array([0.62 * cos(side), 0.62 * sin(side), 0.785], dtype=np.float32)
    return Setting(colour, hues, light)


def draw_skin(numbers: ndarray, setting: Setting, texture: Texture, traits: ndarray) -> Skin:
    """Maps random numbers, float [SKIN_NUMBERS] in [0, 1), to an object's colours, which do not depend on its class."""
    pick, nudge, light, depth, keep, other, rich, pale, gloss = numbers.tolist()
    hue = setting.hues[int(pick * len(setting.hues))] + 24 * nudge - 12
    lightness = 0.5 + 0.32 * light
    contrast = (0.16 + 0.18 * depth) * (1 if lightness < 0.64 else -1)
    accent_hue = hue if keep < 0.5 else setting.hues[int(other * len(setting.hues))]
    base = oklch(lightness, 0.06 + 0.09 * rich, hue)
    accent = oklch(lightness + contrast, 0.04 + 0.09 * pale, accent_hue)
    return Skin(base, accent, 0.05 + 0.5 * gloss, texture, traits)

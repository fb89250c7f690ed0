"""Boxes around outlines: polygons, circles and corners as annotation files give them."""

from collections.abc import Sequence
from math import cos, hypot, radians, sin

from core.data.formats.values import parse_number

Box = tuple[float, float, float, float]


def read_points(points: object) -> list[tuple[float, float]] | None:
    """Returns the points of a list of x, y pairs; None for anything else."""
    if not isinstance(points, list):
        return None
    pairs = [_read_pair(point) for point in points]
    return None if None in pairs else [pair for pair in pairs if pair]


def read_coordinates(xs: object, ys: object) -> list[tuple[float, float]] | None:
    """Returns the points of two lists of the same length, of x and of y; None for anything else."""
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        return None
    return read_points([list(pair) for pair in zip(xs, ys, strict=True)])


def read_numbers(values: Sequence[object]) -> list[float] | None:
    """Returns numbers; None if any value is no number."""
    numbers = [parse_number(value) for value in values]
    return None if None in numbers else [number for number in numbers if number is not None]


def bound_points(points: Sequence[tuple[float, float]] | None, at_least: int = 3) -> Box | None:
    """Returns the bounds of points as xyxy; None if there are fewer than asked for."""
    if not points or len(points) < at_least:
        return None
    xs, ys = ([point[axis] for point in points] for axis in (0, 1))
    return min(xs), min(ys), max(xs), max(ys)


def bound_circle(points: Sequence[tuple[float, float]] | None) -> Box | None:
    """Returns the bounds of a circle given by its centre and a point on it; None for any other points."""
    if not points or len(points) != 2:
        return None
    (x, y), edge = points
    radius = hypot(edge[0] - x, edge[1] - y)
    return x - radius, y - radius, x + radius, y + radius


def bound_ellipse(values: Sequence[object]) -> Box | None:
    """Returns the bounds of an upright ellipse given by its centre and radii; None unless these are four numbers."""
    numbers = read_numbers(values)
    if numbers is None or len(numbers) != 4:
        return None
    x, y, across, down = numbers
    return x - across, y - down, x + across, y + down


def turn_box(box: Box, degrees: float) -> Box:
    """Returns the bounds of a box that is turned about its centre."""
    angle = radians(degrees % 360)
    width, height = box[2] - box[0], box[3] - box[1]
    across = (abs(width * cos(angle)) + abs(height * sin(angle))) / 2
    down = (abs(width * sin(angle)) + abs(height * cos(angle))) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return x - across, y - down, x + across, y + down


def bound_size(values: Sequence[object]) -> Box | None:
    """Returns the box of the left, the top, the width and the height as xyxy; None unless these are four numbers."""
    numbers = read_numbers(values)
    if numbers is None or len(numbers) != 4:
        return None
    x, y, width, height = numbers
    return x, y, x + width, y + height


def order_corners(values: Sequence[object]) -> Box | None:
    """Returns the box of two opposite corners x, y, x, y; None unless these are four numbers."""
    numbers = read_numbers(values)
    if numbers is None or len(numbers) != 4:
        return None
    return bound_points([(numbers[0], numbers[1]), (numbers[2], numbers[3])], at_least=2)


def _read_pair(point: object) -> tuple[float, float] | None:
    if not isinstance(point, list) or len(point) != 2:
        return None
    x, y = parse_number(point[0]), parse_number(point[1])
    return None if x is None or y is None else (x, y)

"""A small data set in the format of YOLO, as the content of its files."""

from tests.core.data.formats.reading import Object

LINE = "0 0.5 0.5 0.5 0.25\n"
CAT = Object("cat", [0.25, 0.375, 0.75, 0.625])
NAMES = "names: [cat, dog]\n"
SET = {"images/a.png": "", "labels/a.txt": LINE, "data.yaml": NAMES}

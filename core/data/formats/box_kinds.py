"""When boxes of four numbers count as written in another way than expected: corners as a size, or a size as corners."""

MAX_SIDE_OVERHANG = 0.05  # share of the picture's side by which careless annotations exceed it
SUSPECT_SHARE = 0.1  # of boxes that do not fit as they are expected, which make a data set suspicious
CERTAIN_SHARE = 0.95  # of boxes that have to fit if they are read in the other way
MAX_SAMPLE = 200  # pictures that are opened for their size if the annotations do not give it

"""The report on the location, the object or the detection that was clicked.

Reading order: `inspect` (decides which of them it is), `reasons` (of the assignment), `location`, `steering` (who
steers there), `pyramid` (where its features come from, and an object's levels), `object`, `overlaps`
(words for the kinds of NMS), `detection`, `explanation` (of a prediction), `why` (the same in words and on the
picture), `rescues` (of the picture's faults), `rescue_report` (the same in words).
"""

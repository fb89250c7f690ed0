"""Average precision where it matters: of some of the objects, and in scenes that differ in one respect.

Reading order: `quantities` (what objects are divided by: size, elongation, crowding, position), `measure` (average
precision of each part), and `along_dial` (average precision along one dial of the scenes).
"""

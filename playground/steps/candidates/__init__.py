"""The candidates of the detections step, and what became of them.

Reading order: `layers` (on the picture), `readout` (in numbers, words and a table).
"""

"""Robustness in the detections step: what becomes of the detections when the picture changes.

Reading order: `measured` (the numbers, cached), `view` (the figure, the table and the words).
"""

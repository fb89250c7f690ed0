"""Formats of single labelling tools.

Reading order: `labelme`.
"""

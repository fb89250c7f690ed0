"""The annotation formats: one module each, with functions that find and read its files.

Each module defines a `core.data.annotations.Format`; `FORMATS` lists them all.
"""

"""The script of the page's head that restores what the browser remembers: the address of the last visit."""

from pathlib import Path

SCRIPT = (Path(__file__).parent / "opening.js").read_text("utf-8")


def head() -> str:
    """Returns the script, which runs before any part of the page is built."""
    return f"<script>{SCRIPT}</script>"

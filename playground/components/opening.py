"""The script of the page's head that restores what the browser remembers: the last visit's address, and the theme."""

from playground.support.scripts import read_scripts

SCRIPT = read_scripts("components/opening.js")


def head() -> str:
    """Returns the script, which runs before any part of the page is built."""
    return f"<script>{SCRIPT}</script>"

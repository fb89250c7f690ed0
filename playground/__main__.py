"""Starts the playground: `python -m playground`."""

from playground.main import main

main()

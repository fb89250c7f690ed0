"""Starts the playground: `python app.py`, then open the address that it prints."""

import sys

from playground.main import main

if __name__ == "__main__":
    sys.exit(main())

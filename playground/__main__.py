"""Starts the playground: `python -m playground`."""

import sys

from playground.main import main

if __name__ == "__main__":
    sys.exit(main())

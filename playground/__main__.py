"""Starts the playground: `python -m playground`."""

import sys

from playground.main import main

sys.exit(main())

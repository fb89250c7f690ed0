"""The command line: `python -m core train | evaluate | detect | export`."""

import sys

from core.cli import main

sys.exit(main())

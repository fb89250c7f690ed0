"""The folders of the project, whatever the depth of the module that asks."""

from pathlib import Path

import core

ROOT = Path(core.__file__).resolve().parent.parent  # what has to be on the path for `import core`
_PACKAGED = ROOT / "core" / "assets"  # where a wheel puts them
ASSETS = _PACKAGED if _PACKAGED.is_dir() else ROOT / "assets"

"""The project's folders, independent of the module that asks for them."""

from pathlib import Path

import core

ROOT = Path(core.__file__).resolve().parent.parent  # the folder that makes `import core` work
_PACKAGED = ROOT / "core" / "assets"  # where a wheel puts the assets
ASSETS = _PACKAGED if _PACKAGED.is_dir() else ROOT / "assets"

"""Files: paths of the project, atomic writes, JSON lines, locks between processes.

Reading order: `paths`, `atomic`, `jsonl`, `locks`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

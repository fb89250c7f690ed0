"""Files: folders of the project, atomic writes, growing JSON Lines files, journals of long computations, locks between
processes, pauses of the garbage collector, and what files are by their first bytes.

Reading order: `paths`, `text`, `atomic`, `jsonl`, `journal`, `locks`, `collection`, `signatures`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

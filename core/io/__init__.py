"""Files: folders of the project, locks between processes, moving and removing what others may read, parts in the
making, troubles with the disk, atomic writes, small files of JSON, growing JSON Lines files, journals of long
computations, what files are by their first bytes, what decoding a picture would take, and decoding it.

Reading order: `paths`, `text`, `locks`, `moving`, `parts`, `troubles`, `atomic`, `records`, `jsonl`, `journal`,
`signatures`, `picture_bounds`, `slow_formats`, `decoding`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

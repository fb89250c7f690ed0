"""Files: folders of the project, locks between processes, parts in the making, troubles with the disk, folders of a
process, atomic writes, small files of JSON, growing JSON Lines files, journals of long computations, pauses of the
garbage collector, what files are by their first bytes, what decoding a picture would take, and decoding it.

Reading order: `paths`, `text`, `locks`, `parts`, `troubles`, `own_folder`, `atomic`, `records`, `jsonl`, `journal`,
`collection`, `signatures`, `picture_bounds`, `decoding`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

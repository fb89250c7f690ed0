"""Reading a data set's folder: its format, the annotated pictures, the splits, and whether it can be right.

Reading order: `format_detection` (finds the format and reads the folder in it), `contents` (all that is read),
`pictures`, `matching`, `strays` and `picture_index` (find the picture files), `split_words` and `split_names` (what
names mean), `assignment` (of pictures to splits), `plausibility` (why a data set is refused), `sentences` (how it was
read), `cache` and `storage` (what was read before), `collection` (pauses of the garbage collector meanwhile).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

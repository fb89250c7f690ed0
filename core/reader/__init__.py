"""A separate process that reads untrusted files, with bounds on its time, its memory and the size of its answer.

A file that is made to hurt can keep a parser busy for ever, with the interpreter's lock held, or fill the memory. Such
files are therefore read by another process, which is ended as soon as it exceeds a bound; nobody else notices.

Reading order: `limits` (the bounds, and which files are read apart), `tasks` (what can be read), `pool` (`read_apart`,
the entry point: the processes), `turns` (who waits for one, and in which order), `process` (one such process, as its
parent sees it), `watch` (its bounds), `child` (its program), `messages` (what both tell each other), `errors` (how its
errors return), `priority` (how it gives way).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

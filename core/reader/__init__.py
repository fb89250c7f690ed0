"""A separate process that reads untrusted files, with bounds on its time, its memory and the size of its answer.

A file that is made to hurt can keep a parser busy for ever, with the interpreter's lock held, or fill the memory. Such
files are therefore read by another process, which is ended as soon as it exceeds a bound; nobody else notices.

Reading order: `limits` (the bounds, and which files are read apart), `tasks` (what can be read), `pool` (`read_apart`,
the entry point: the processes and who waits for one), `process` (one such process, as its parent sees it), `watch`
(its bounds), `child` (its program), `messages` (what both tell each other), `errors` (how its errors return),
`priority` (how it gives way).
"""

from core.reader.limits import COMMAND_LINE, PAGE, Kind, Limits, limits_for, read_apart_from_now_on
from core.reader.pool import Answer, read_apart, warm_up
from core.reader.tasks import LIGHT, TASKS

__all__ = [
    "COMMAND_LINE",
    "LIGHT",
    "PAGE",
    "TASKS",
    "Answer",
    "Kind",
    "Limits",
    "limits_for",
    "read_apart",
    "read_apart_from_now_on",
    "warm_up",
]

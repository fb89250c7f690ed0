from .daemon import ensure_server as ensure_server
from .queue import Queue as Queue

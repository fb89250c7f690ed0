from .atomic import OutputError as OutputError, write_text as write_text
from .jsonl import JsonLines as JsonLines
from .locks import FileLock as FileLock
from .paths import ASSETS as ASSETS

from .folder import RunError as RunError, RunFolder as RunFolder, RunStatus as RunStatus
from .train import run_training as run_training

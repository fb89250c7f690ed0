from .records import (
    EvaluationProgress as EvaluationProgress,
    EvaluationRecord as EvaluationRecord,
    StepRecord as StepRecord,
    TrainingError as TrainingError,
)
from .trainer import Trainer as Trainer

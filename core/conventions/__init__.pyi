from .compare import Comparison as Comparison, Outcome as Outcome, Subject as Subject, compare as compare
from .differences import Difference as Difference
from .table import CONVENTIONS as CONVENTIONS, FRAMEWORKS as FRAMEWORKS

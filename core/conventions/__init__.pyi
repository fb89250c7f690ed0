from .comparison import Comparison as Comparison, Outcome as Outcome, compare as compare
from .convention import FRAMEWORKS as FRAMEWORKS
from .differences import Difference as Difference
from .table import CONVENTIONS as CONVENTIONS
from .view import Subject as Subject, make_subject as make_subject

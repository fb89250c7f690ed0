from .comparison import Comparison as Comparison, Outcome as Outcome, compare as compare
from .differences import Difference as Difference
from .table import CONVENTIONS as CONVENTIONS, FRAMEWORKS as FRAMEWORKS
from .view import Subject as Subject, make_subject as make_subject

from .over_set import SetSearch as SetSearch, search_set as search_set
from .search import Rescue as Rescue, Rescues as Rescues, find_rescues as find_rescues
from .trials import Trials as Trials

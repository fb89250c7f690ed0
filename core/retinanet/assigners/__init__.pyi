from .assign import assign_anchors as assign_anchors
from .match import BACKGROUND as BACKGROUND, FOREGROUND as FOREGROUND, IGNORED as IGNORED, Match as Match
from .max_iou import match_anchors as match_anchors
from .simota import NetworkView as NetworkView

from .evidence import Evidence as Evidence, find_evidence as find_evidence
from .maps import map_features as map_features, map_pixels as map_pixels
from .receptive_field import ReceptiveField as ReceptiveField, measure_field as measure_field
from .target import Target as Target

from .anchor_search import AnchorFit as AnchorFit, measure_fit as measure_fit, search_anchors as search_anchors
from .dataset_check import DataCheck as DataCheck, check_folder as check_folder
from .model_costs import Costs as Costs, count_parameters as count_parameters, estimate_costs as estimate_costs

"""Everything that follows from a picture and the settings, computed when first needed and cached for all visitors.

What has to be recomputed follows from the declared effects of the hyperparameters: the outputs are cached by the
picture and the settings with the effect forward, the assignment by the objects and the settings with the effects
anchors and assign, and also by the outputs where the assigner looks at them, and so on.
"""

from playground.pipeline.detections import DetectionStages
from playground.pipeline.steering import SteeringStages


class Pipeline(DetectionStages, SteeringStages):
    """A picture under settings, with all stages of the pipeline.

    Stages that need the network raise `WeightsError` if its weights do not fit the settings, and `PostponedError` if
    they would be slow and are to be postponed.
    """

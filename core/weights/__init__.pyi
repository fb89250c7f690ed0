from .architecture import (
    Architecture as Architecture,
    WeightsError as WeightsError,
    recognise as recognise,
)
from .sources import (
    Weights as Weights,
    adopt as adopt,
    build as build,
    load_weights as load_weights,
    save_weights as save_weights,
    weights_for as weights_for,
)

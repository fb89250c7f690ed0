from .comparison import run_comparison as run_comparison
from .presets import PRESETS as PRESETS, Preset as Preset, Variant as Variant

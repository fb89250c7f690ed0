from .bundle import write_bundle as write_bundle
from .onnx import write_onnx as write_onnx
from .settings import FORMATS as FORMATS

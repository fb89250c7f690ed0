"""RetinaNet as a small, exact library: model, losses, training, evaluation and export, with a command line.

Implements Lin et al., "Focal Loss for Dense Object Detection", 2017. The library does not depend on the page.

Reading order: `config` (every hyperparameter), `structures` (what travels between the packages), `retinanet` (the
detector itself), `weights`, `scenes` and `data` (images and ground truth), `training`, `evaluation`; then `runs`,
`experiments` and `scheduler` (training that is recorded on disk), `analysis`, `explain`, `steering`, `rescue`,
`robustness`, `conventions`, `export` and `cli`. `io`, `reader` (the process that reads untrusted files) and `errors`
are used by all of them; `light_torchvision` and `fast_imports` make imports light.

The names in `__init__.pyi` can be imported from here. They are loaded on first use: `import core` does not import
PyTorch.
"""

import lazy_loader as lazy

from core.light_torchvision import install

install()

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

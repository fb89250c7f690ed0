"""Pretrained weights: finding, checking, loading and saving them.

Reading order: `architecture` (recognises a RetinaNet by the keys and shapes of its state dict), `metadata` (settings
and class names in a file), `weights` (weights with their description), `assumptions` (what is assumed where a file says
nothing), `contradictions` (settings that do not fit), `foreign` (what else files hold), `pickle_check`, `pickled` and
`containers` (the network in what training scripts save), `class_names` (the names beside it), `download` (fetches what
is published), `state_dict` (reads and writes files, which are not trusted), `files` (weights in a file, described;
another process reads untrusted ones), `sources` (weights by name or path, and the settings that follow).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

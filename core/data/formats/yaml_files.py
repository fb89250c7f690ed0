"""YAML files of data sets, parsed safely: as texts, lists and dictionaries, whatever a file names."""

from typing import Any

import yaml

MAX_DEPTH = 20  # brackets in each other, for each of which the parser remembers where a key may begin


class _Loader(yaml.BaseLoader):
    """Loads texts alone, in pure Python, because libyaml crashes on deep nesting; refuses nesting that takes long."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:
        """Begins a list or dictionary in brackets; raises `ValueError` for one in too many others."""
        if self.flow_level >= MAX_DEPTH:
            raise ValueError(f"it has more than {MAX_DEPTH} brackets in each other")
        super().fetch_flow_collection_start(TokenClass)


def load_yaml(text: str) -> Any:
    """Returns the content of a YAML text; what aliases repeat is the same object, so that only few may be written out.

    Raises:
        ValueError: It is not YAML, or nested too deeply.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None

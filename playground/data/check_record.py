"""What a look through a data set found, read back from JSON (`core.analysis.dataset_check.DataCheck.to_dict`)."""

from typing import Any

from core.analysis.dataset_check import DataCheck, SplitSummary
from core.analysis.issues import Issue
from core.analysis.size_check import ClassSizes


def check_from_dict(values: dict[str, Any]) -> DataCheck:
    """Reads a check.

    Raises:
        KeyError, TypeError: Something is missing or has another shape.
    """
    return DataCheck(
        format=values["format"],
        class_names=tuple(values["class_names"]),
        splits={name: SplitSummary(**each) for name, each in values["splits"].items()},
        sizes={name: _sizes(each) for name, each in values["sizes"].items()},
        issues=tuple(Issue(**{**each, "examples": tuple(each["examples"])}) for each in values["issues"]),
    )


def _sizes(values: dict[str, Any]) -> ClassSizes:
    return ClassSizes(**{**values, "side": tuple(values["side"]), "ratio": tuple(values["ratio"])})

"""What weights know, in words, and whether a picture is of a kind that they have never seen."""

from typing import NamedTuple

from core.config import Config
from core.io.text import count_noun, join_names
from core.scenes.render import CLASS_NAMES
from core.weights.sources import has_new_heads
from core.weights.weights import ON_COCO, ON_DATA_SET, ON_SCENES, Weights
from playground.data.albums import is_training_name
from playground.data.picture import Picture
from playground.pipeline.networks import weights_key, weights_of
from playground.support.cache import Cache

NO_CLASS = ("__background__", "N/A")  # stand where COCO's numbers have gaps
_knowledge = Cache()


class Knowledge(NamedTuple):
    """What weights know.

    Attributes:
        class_names: Their classes; () if they have not learnt any.
        trained_on: The pictures that they learnt from, as in `Weights`.
    """

    class_names: tuple[str, ...] = ()
    trained_on: str = ""

    @classmethod
    def of(cls, weights: Weights) -> "Knowledge":
        """Returns what weights know. The six shapes are known from scenes, also where an older file does not say so."""
        names = tuple(name for name in weights.class_names if name not in NO_CLASS)
        return cls(names, weights.trained_on or (ON_SCENES if names == CLASS_NAMES else ""))

    def describe(self) -> str:
        """Returns a sentence on the classes, and on the pictures that they were learnt from."""
        if not self.class_names:
            return "These weights have learnt no class yet: their heads answer by chance."
        if self.trained_on == ON_SCENES:
            return f"These weights know six rendered shapes: {', '.join(self.class_names)}."
        if self.trained_on == ON_COCO:
            return f"These weights know {len(self.class_names)} everyday classes of COCO photographs."
        known = f"These weights know {join_names(self.class_names)}"
        if self.trained_on.startswith(ON_DATA_SET):
            return f"{known}, from {_name_data_set(self.trained_on.removeprefix(ON_DATA_SET))}."
        return f"{known}; what pictures they were trained on is not recorded."


def _name_data_set(name: str) -> str:
    """Returns a data set's name as a noun; an album's folder has none that says anything to people."""
    return "a visitor's own pictures" if is_training_name(name) else f"the data set {name}"


def knowledge_of(config: Config) -> Knowledge:
    """Returns what the weights of the settings know.

    Raises:
        WeightsError: The weights are not available.
    """
    model = config.model
    if has_new_heads(model):
        return Knowledge()
    if model.weights == "builtin":  # without reading them, since every first answer asks
        return Knowledge(CLASS_NAMES, ON_SCENES)
    key = weights_key(model.weights, model.depth)
    knowledge: Knowledge = _knowledge.get(key, lambda: Knowledge.of(weights_of(model.weights, model.depth)))
    return knowledge


def find_unknown(picture: Picture, knowledge: Knowledge, *, from_data_set: bool) -> list[str]:
    """Returns the classes of a picture that weights do not know: of its whole data set, or of its drawn objects."""
    names = picture.class_names
    if not from_data_set:
        names = tuple(names[label] for label in picture.sample.labels.tolist())
    return sorted(set(names) - set(knowledge.class_names), key=names.index)


def judge(picture: Picture, knowledge: Knowledge, *, from_data_set: bool, from_album: bool = False) -> str:
    """Returns what must be said where weights look at a picture, "" if it is of a kind that they know.

    Args:
        picture: The picture.
        knowledge: What the weights know.
        from_data_set: True for a picture of a data set in the library, which has classes of its own.
        from_album: True for a picture of an album, whose classes grow as its visitor draws.
    """
    if not knowledge.class_names:
        return "" if picture.is_scene else knowledge.describe()
    unknown = find_unknown(picture, knowledge, from_data_set=from_data_set)
    unseen = _describe_unseen(picture, knowledge, from_data_set=from_data_set)
    if unknown:
        answers = f"They can only answer with {_list_classes(knowledge)}."
        return " ".join(filter(None, (f"These weights do not know {join_names(unknown)}.", answers, unseen)))
    if unseen:
        return f"{knowledge.describe()} {unseen}"
    named = from_album and picture.class_names and set(picture.class_names) <= set(knowledge.class_names)
    if picture.is_scene or from_data_set or named or knowledge.trained_on == ON_COCO:
        return ""
    return f"{knowledge.describe()} Whatever else this picture shows, they can only answer with one of these."


def _describe_unseen(picture: Picture, knowledge: Knowledge, *, from_data_set: bool) -> str:
    """Returns a sentence if the picture is no scene, but the weights have seen nothing else; "" otherwise."""
    if picture.is_scene or knowledge.trained_on != ON_SCENES:
        return ""
    if not from_data_set:
        return "They have never seen a photograph: what they find here means nothing."
    if set(picture.class_names) == set(CLASS_NAMES):  # scenes that were saved as a data set
        return ""
    return "They have never seen a photograph: what they find in one means nothing."


def _list_classes(knowledge: Knowledge) -> str:
    if knowledge.trained_on == ON_SCENES:
        return ", ".join(knowledge.class_names)
    if knowledge.trained_on == ON_COCO:
        return f"{count_noun(len(knowledge.class_names), 'everyday class', 'everyday classes')} of COCO"
    return join_names(knowledge.class_names)

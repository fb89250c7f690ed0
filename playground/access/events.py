"""The page as Gradio's `Blocks`, whose refusals of a component's value are one sentence."""

from typing import Any

import gradio as gr
from gradio.blocks import Block, BlockFunction
from gradio.state_holder import SessionState

from core.io.troubles import FULL
from playground.access.refusals import SENTENCES
from playground.access.windows import FORGOTTEN, Window, Windows
from playground.support.wording import NOT_READ

POLL_SECONDS = 0.01  # between two looks for waiting events: Gradio's thousand a second are a share of a processor


class PageBlocks(gr.Blocks):
    """The page: what its components do not take is refused.

    Gradio itself would say a value that is no choice of a list, of any length, together with all choices, or nothing.
    """

    def queue(self, *args: Any, **options: Any) -> "PageBlocks":
        """Sets up the queue of events, as in Gradio."""
        super().queue(*args, **options)
        self._queue.sleep_when_free = POLL_SECONDS
        return self

    async def preprocess_data(
        self, block_fn: BlockFunction, inputs: list[Any], state: SessionState | None, explicit_call: bool = False
    ) -> list[Any]:
        """Returns the values of an event's components.

        Raises:
            gr.Error: One of them is of another type than the page sends, or not among what it offers. A list can have
                changed meanwhile. Or what the window showed is not known any more.
        """
        if isinstance(state, Window) and state.is_forgotten:
            raise gr.Error(FORGOTTEN, print_exception=False)
        if any(map(_is_list_for_one, block_fn.inputs, inputs)):  # which Gradio would pass on
            raise gr.Error(NOT_READ, print_exception=False)
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except OSError as error:
            said = SENTENCES[507] if error.errno in FULL else NOT_READ
        except Exception:  # Gradio's own code on untrusted values: it raises whatever they lead to
            blocks = (state[each._id] if state and each._id in state else each for each in block_fn.inputs)
            said = next(filter(None, map(_describe, blocks, inputs)), NOT_READ)
        raise gr.Error(said, print_exception=False)

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: list[Any] | dict[Any, Any], state: SessionState | None
    ) -> list[Any]:
        """Returns the new values of an event's components, and sees to it that there is room for those that stay."""
        values = await super().postprocess_data(block_fn, predictions, state)
        if isinstance(self.state_holder, Windows):
            self.state_holder.weigh(state)
        return values


def _is_list_for_one(block: Block, value: Any) -> bool:
    return isinstance(block, gr.Dropdown) and not block.multiselect and isinstance(value, list)


def _describe(block: Block, value: Any) -> str:
    """Returns an error message for the value of a component, "" if the cause is unknown."""
    if isinstance(block, gr.Number) and isinstance(value, int | float):
        low, high = block.minimum, block.maximum
        if low is not None and high is not None and not low <= value <= high:
            return f"“{block.label}” must be a number from {low:g} to {high:g}."
    if isinstance(block, gr.Dropdown | gr.Radio) and _is_gone(block, value):
        return f"What was chosen in “{block.label}” is not there any more: choose again, or reload the page."
    return ""


def _is_gone(block: gr.Dropdown | gr.Radio, value: Any) -> bool:
    return isinstance(value, str) and value not in [each for _, each in block.choices]

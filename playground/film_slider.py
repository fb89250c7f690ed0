"""The slider of a run's film. Gradio writes a stub beside the file of each class of components; git ignores it."""

import gradio as gr


class FilmSlider(gr.Slider):
    """A slider whose end moves while the browser may still speak of another one; whoever uses its value bounds it."""

    is_template = True  # Gradio's own slider in the browser

    def preprocess(self, payload: float) -> float:
        """Returns the value as it comes."""
        return payload

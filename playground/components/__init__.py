"""Widgets and HTML that know nothing of RetinaNet.

Reading order: `html` (builders that escape their text), `thumbnails` (small pictures), `figures` (Plotly figures as
dictionaries), `step_figures` (those over the steps of training runs), `compared` (those of two settings in one), `plot`
(the widget that draws them), `dials` (sliders and lists beside it), `notice` (one sentence to the visitor), `menu` (a
button that opens a list), `knob_search`, `opening` (what the browser remembers of earlier visits).
"""

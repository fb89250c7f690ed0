"""The arrangement of the page and its widgets, before anything happens.

Reading order: `layout` (the page as a whole), `components` (what events read and write), `page_update` (new values for
it), `header`, `story` (the first screen), `strip` (the steps with their live numbers), `knob_widgets` (a widget for
each hyperparameter) with `knob_notes` (the words beside it), `step_controls` (the other controls of each step),
`source_bar` (chooses the picture), `intake` (brings the visitor's own), `album_panel` (lists them), `banner` (words
above it), `runs_table`.
"""

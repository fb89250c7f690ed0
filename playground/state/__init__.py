"""The visitor's choices, as the widgets hand them to every event.

Reading order: `page_state` (all choices in one object), `user_picture` (an upload, an image of a data set or a scene
with drawn objects), `own_picture` (a picture of the visitor's album), `looking` (what weights find in all of them),
`aim` (the picture that an event was aimed at), `taught` (what a run on the album has learnt), `weight_names` (files of
weights without their paths), `settings` (the values of the widgets ↔ `Config`), `anchor_search` (settings that fit the
anchors to objects), `effort` (whether the answer to a state takes long).
"""

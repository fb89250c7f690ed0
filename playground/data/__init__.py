"""The pictures of the page: scenes, uploads, and the data sets that visitors bring.

Reading order: `picture` (the picture on the page), `image_ref` (the address of an image in a data set), `sources`
(opens both), `scene_examples`, `browse` (next and previous image), `datasets` (the service: upload, check, split),
`library` (its bounded storage), `report` (the result of the check as HTML).
"""

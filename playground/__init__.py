"""The page: a Gradio interface over `core`. It computes nothing that the library could compute.

Reading order: `main` (the command), `page` (builds the page and connects its events), `pipeline` (everything that
follows from a picture and the settings), `steps` (one module per step of the pipeline), `canvas` (the picture with its
layers) and `inspector` (the report on a click), `state` (the visitor's choices), `layout`, `events` and `server` (from
an event to the updated page); then `data`, `runs` and `evaluations` (services that all visitors share), `albums` (each
visitor's own pictures), `lessons`, `components`, `sharing` (how visitors share the server), `access` (which requests it
answers) and `support`.
"""

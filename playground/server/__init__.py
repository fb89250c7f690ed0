"""From the visitor's choices to the updated page, and the routes that the browser calls directly.

Reading order: `render` (state → page update), `banner` (what the weights know of the picture), `album_state` (the panel
"My pictures"), `permalink` (state ↔ URL), `private_links` (what links must not show), `opening` (what a link opens),
`first_answer` (what a new visitor sees, computed in advance), `pin_diff` (changes since the pin), `idle` (the knobs
that do not act), `in_progress`, `live` and `live_api` (updates while a knob moves, without Gradio's event queue),
`tokens` (states that the browser refers to by name), `poll` (news of background work).
"""

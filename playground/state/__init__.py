"""The visitor's choices, as the widgets hand them to every event.

Reading order: `page_state` (all choices in one object), `settings` (the values of the widgets ↔ `Config`).
"""

"""Guided lessons: Markdown files whose steps set the page, ask for a prediction, and make claims that are checked.

Reading order: `lesson` (the types), `options` and `parser` (read the files in `assets/lessons`), `quantities` (the
numbers quoted by texts and claims), `narration` (a step's text with its numbers, and its claims checked), `position`
(where the visitor is in a lesson), `stay` (what a visitor comes from and goes back to), `way` (the map), `panel` (the
lesson on the page) with `quiz` and `teacher`, `drawing` (the truth that drawn answers are compared with),
`page_effects` (what a step changes on the page).
"""

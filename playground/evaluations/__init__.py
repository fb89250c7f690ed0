"""Evaluations of a network on a data set split, and searches for rescues, in the background, shared by all visitors.

Reading order: `keys` (what is evaluated), `query` (what a visitor wants to see), `results` (what an evaluation
computed), `status` (how far an evaluation is), `records` (results as they are stored), `store` (their files), `bounds`
(what one may take of the server), `work` (what an evaluation does: of a split, or along a dial of the scenes), `search`
(what a search for rescues does), `jobs` (the queue, `EVALUATIONS`), `of_albums` (deleted with an album).
"""

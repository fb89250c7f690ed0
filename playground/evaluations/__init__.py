"""Evaluations of a network on a data set split, run in the background and shared by all visitors.

Reading order: `keys` (what is evaluated), `query` (what a visitor wants to see), `results` (what an evaluation
computed), `status` (how far an evaluation is), `store` (results on the disk), `bounds` (what one may take of the
server), `jobs` (the queue of evaluations, `EVALUATIONS`), `of_albums` (deleted with an album).
"""

"""Attacks the project with hostile files, requests, kills and a crowd: `python -m benchmarks.attack --minutes 30`.

Valid small files and requests are altered at random, from a seed, and given to the functions that the page calls. How
each input ends is counted: opened, refused in one sentence, a traceback, a hang, or something lost. The last three must
be 0; each of them is printed with the arguments that repeat it.

Reading order: `outcome` (how an input ends), `mutations` (altering bytes and values), `answers` (what browsers read),
then the classes of inputs: `files` (pictures, weights), `data_sets`, `bombs`, `run_folders`, `album_folders`,
`requests` (the fast path, links, origins), `kills`, `crowds`; `classes` lists them, `run` tries them, `__main__` is the
command.
"""

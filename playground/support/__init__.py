"""Helpers that know nothing of the page.

Reading order: `cache` and `sizes` (results in memory), `threads` (PyTorch's thread counts), `picture_limits`,
`shared_folder`, `age` and `trash` (deletion with undo), `visitors` (ownership by cookie), `starting` (ports and
folders), `names` (classes that visitors name), `groups` (the step of each knob), `wording` (messages in the words of
the page), `untrusted` (values of links), `scripts` (the programs of the page's parts).
"""

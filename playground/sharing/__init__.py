"""How visitors share the server.

Reading order: `lanes` (the order in which answers are computed), `shares` (what each visitor may have), `slots` (how
much each does at a time), `uploads` (files that several have uploaded).
"""

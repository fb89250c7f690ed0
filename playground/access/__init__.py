"""What the server answers at all: whose requests, at which addresses, and of what shape and size.

Reading order: `hosts` (the names of the server), `origins` (pages of other sites), `refusals` (the sentences, and what
is said instead of an error of the server), `notices` (refusals of events that do not queue), `routes` (the addresses
that the page uses: all others of Gradio's are closed), `bodies` (what the page sends to them), `uploads` (files that
are sent), `places` (how much everybody may ask for at a time), `windows` (what is kept of each window), `events` (the
values of Gradio's components), `options` (all of it, for the app).
"""

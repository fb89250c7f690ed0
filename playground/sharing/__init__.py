"""How visitors share the server: the order in which answers are computed (`lanes`), and what each may have (`shares`)."""

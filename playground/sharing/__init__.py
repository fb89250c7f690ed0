"""How visitors share the server: the order in which answers are computed (`lanes`), what each may have (`shares`,
`slots`), and files that several have uploaded (`uploads`)."""

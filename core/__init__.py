"""RetinaNet, small and exact: the library behind the playground. Knows no page and no plot."""

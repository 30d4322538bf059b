"""Door 2: the pages that people read."""

"""Whether a series fires under a rule's terms: pure decisions on numbers."""

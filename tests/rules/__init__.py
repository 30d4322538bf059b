"""Tests about the repository itself: imports, documents, locks, and what must not be in it."""

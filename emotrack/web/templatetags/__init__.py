"""Tags that the pages use."""

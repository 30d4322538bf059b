"""A conversation that nobody had, with audio, for looking around and trying things out."""

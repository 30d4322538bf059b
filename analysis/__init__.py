"""EmoTrack's science: numbers in, numbers out. No Django, no HTTP, no clock, no database."""

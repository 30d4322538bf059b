"""EmoTrack: see how someone's emotions move across conversations."""

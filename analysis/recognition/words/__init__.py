"""The embedded reader of English words: which words were said, and a small linear model."""

from analysis.recognition.words.recognizer import WordRecognizer, WordsRead, WordsReading

__all__ = ["WordRecognizer", "WordsRead", "WordsReading"]

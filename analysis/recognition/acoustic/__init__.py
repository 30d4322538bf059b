"""The embedded recognizer: pitch, level, color and rhythm of a voice, and a small linear model."""

from analysis.recognition.acoustic.recognizer import AcousticRecognizer

__all__ = ["AcousticRecognizer"]

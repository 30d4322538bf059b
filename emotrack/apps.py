"""The project itself as an app: it holds the commands."""

from django.apps import AppConfig


class EmotrackConfig(AppConfig):
    name = "emotrack"
    label = "emotrack"

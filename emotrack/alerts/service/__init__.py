"""Troubles of the service itself, which only admins are told of."""

"""Notifications: a short message to people when a run changed something or went wrong."""

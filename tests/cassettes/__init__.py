"""Recorded API answers, and how they are recorded and replayed: see README.md."""

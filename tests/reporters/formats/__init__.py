"""Tests of the formats machines read."""

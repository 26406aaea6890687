"""Drift: what changed between two snapshots, and between a snapshot and what Terraform declares."""

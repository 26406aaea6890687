"""Delivery: events of a run into SIEMs and files, spooled first, sent second, at least once."""

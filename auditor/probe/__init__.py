"""Probes: what a client host sees of endpoints when it resolves their names and connects to their addresses.

Nothing is contacted but the resolvers and addresses somebody named; no credentials are used.
"""

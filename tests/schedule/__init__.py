"""Examples and packages for runs that nobody watches, each checked by what reads it."""

"""Which molecules train, validate and test."""

"""Which settings a search tries next."""

"""Search parameters, and say whether the winner is more than luck."""

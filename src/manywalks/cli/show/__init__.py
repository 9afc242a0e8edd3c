"""Tables and summaries on the terminal."""

"""What each step does: one file, one step or one noun."""

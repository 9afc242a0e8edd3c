"""What a search may vary: read, checked, drawn from, and written back."""

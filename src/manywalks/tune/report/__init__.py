"""What a search leaves for people: its page, its figures, its words."""

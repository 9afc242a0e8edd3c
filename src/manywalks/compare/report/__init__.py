"""What a comparison leaves for people: its page, its figures, its words."""

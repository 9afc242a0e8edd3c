"""The reproducibility statement: bounds, what they rest on, and the same in words."""

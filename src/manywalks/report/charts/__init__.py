"""Charts as inline SVG, and the figures of the report drawn with them."""

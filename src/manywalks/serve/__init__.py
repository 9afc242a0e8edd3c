"""Models over HTTP: an API, a page, and workers that stay warm."""

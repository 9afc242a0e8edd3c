"""The raw table: reading it, checking it, merging repeated measurements, saying why a record was left out."""

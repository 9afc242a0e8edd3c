"""Compare configurations beyond the luck of single replicates."""

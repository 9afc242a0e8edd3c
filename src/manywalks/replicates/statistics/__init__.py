"""What replicates say of an ensemble of them: spectrum, bounds, decisions, lists."""

"""In what order the steps run."""

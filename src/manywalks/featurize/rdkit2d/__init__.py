"""RDKit's 217 2D descriptors with the same values, from arrays that are read from the molecule once."""

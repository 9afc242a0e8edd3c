"""The one file of plain Keras, and the archive that carries it."""

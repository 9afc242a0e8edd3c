"""The engine for any Keras model."""

"""A family's trainings as plain arrays or one Keras model, which answer at once."""

"""The weights of the families, fitted on training molecules that the networks had not seen."""

"""One model of all replicates: building, saving, predicting, explaining."""

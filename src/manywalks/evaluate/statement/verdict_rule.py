"""What a model has to reach to be called useful; the words of it need no more than these numbers."""

NEIGHBOURS = 5
# with fewer molecules, other molecules of the same kind would often give another verdict
FEWEST = 30
# "useful" takes an error so much below that of the mean (an R2 of 0.19), or an AUROC so high
LEAST_SHARE, LEAST_AUROC = 0.1, 0.7

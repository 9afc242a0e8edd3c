"""The kept replicates, how many more are needed, and the loop that trains them."""

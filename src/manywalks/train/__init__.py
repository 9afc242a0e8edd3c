"""One problem, many replicates: scaling, targets, random streams and the engines that train."""

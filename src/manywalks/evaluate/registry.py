"""The metrics: names, units, directions, and the main one of each kind."""

MAIN = {"regression": "rmse", "classification": "auroc"}
METRICS = {
    "regression": ("rmse", "mae", "r2", "spearman", "kendall"),
    "classification": ("auroc", "auprc", "brier", "log_loss", "mcc"),
}
AUTO = {"regression": "rmse", "classification": "brier"}
OF_KIND = {"regression": ("rmse", "mae"), "classification": ("brier", "log_loss")}
MAIN_SCORES = {"regression": ("rmse", "mae", "r2", "spearman"), "classification": ("auroc", "auprc", "mcc")}
HIGHER_IS_BETTER = {"r2", "spearman", "kendall", "auroc", "auprc", "mcc"}
SCORE_NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "spearman": "Spearman",
    "kendall": "Kendall",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "brier": "Brier",
    "log_loss": "log-loss",
    "mcc": "MCC",
}
IN_UNITS = ("rmse", "mae")
# they go by ranks or decisions, so they move in steps
IN_STEPS = ("spearman", "kendall", "auroc", "auprc", "mcc")
# farthest that two values can be apart
WIDTHS = {"spearman": 2.0, "kendall": 2.0, "mcc": 2.0, "auroc": 1.0, "auprc": 1.0, "brier": 1.0}

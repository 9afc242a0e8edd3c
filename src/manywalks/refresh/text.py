"""A refresh in Markdown: who is the champion, how the two compared, how the data moved."""

from typing import Any

from manywalks.formatting import short
from manywalks.report.markdown import plain


def text_of(report: dict[str, Any]) -> str:
    """The refresh in Markdown, for reports/refresh.md and Prefect."""
    lines = [
        f"# Refresh of {report['when']}",
        "",
        f"Champion: **{report['champion']}**. Challenger {report['challenger']} was "
        f"{'promoted' if report['promoted'] else 'not promoted'}: {report['reason']}.",
    ]
    if report["endpoints"]:
        lines += ["", "| endpoint | molecules | score | champion | challenger | difference | verdict |"]
        lines += ["|---|---|---|---|---|---|---|"]
    for name, one in report["endpoints"].items():
        cells = [short(one.get(key)) for key in ("champion", "challenger", "difference")]
        interval = (
            f" ({short(one.get('low'))} to {short(one.get('high'))})" if one.get("low") is not None else ""
        )
        lines.append(
            f"| {plain(name)} | {one['molecules']} | {one['metric']} | {cells[0]} | {cells[1]} "
            f"| {cells[2]}{interval} | {one['verdict']} |"
        )
    lines += [
        f"\n{plain(name)}: {one['censored']} molecules with a censored value (< or >) are not compared."
        for name, one in report["endpoints"].items()
        if one.get("censored")
    ]
    if any(one["metric"] in ("log_loss", "brier") for one in report["endpoints"].values()):
        lines += ["", "Probabilities are compared before calibration."]
    if churned := report.get("churn"):
        lines += ["", "## Churn", ""]
        for name, one in churned.items():
            lines += [*map(plain, one["sentences"]), ""]
            lines += _moved_lines(name, one)
        lines += ["The molecules that moved most are drawn in [churn.html](churn.html)."]
    if report["drift"]:
        lines += ["", "## Drift", "", *_drift_lines(report["drift"])]
    if report["warnings"]:
        lines += ["", *(f"Warning: {warning}." for warning in report["warnings"])]
    lines += ["", "How the predictions of all nights did: [record.html](record.html)."]
    return "\n".join(lines) + "\n"


def _moved_lines(name: str, one: dict[str, Any]) -> list[str]:
    """The molecules that moved most, in Markdown."""
    if not one["molecules"]:
        return []
    lines = [f"| {plain(name)}: moved most | before | after | change | |", "|---|---|---|---|---|"]
    for moved in one["moved_most"]:
        cells = " | ".join(short(moved[key]) for key in ("before", "after", "change"))
        word = "beyond luck" if moved["beyond_luck"] else "may be luck"
        lines.append(f"| {plain(moved['id'])} | {cells} | {word} |")
    return [*lines, ""]


def _drift_lines(drift: dict[str, Any]) -> list[str]:
    """Where new molecules lie and how their values are distributed, in Markdown."""
    structures = drift["structures"]
    if not structures["molecules"]:
        return ["No molecule is new to the champion."]
    lines = [
        f"{structures['molecules']} molecules are new to the champion; {structures['outside']:.0%} of them "
        "lie outside its domain. Tanimoto similarity to the nearest that it was trained on: median "
        f"{short(structures['similarity_median'])}, lowest twentieth "
        f"{short(structures['similarity_low'])}.",
        "",
        "| endpoint | values before | new values | stability index | KS distance | p |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in drift["values"].items():
        cells = [short(one[key]) for key in ("psi", "ks", "p")]
        lines.append(f"| {plain(name)} | {one['old']} | {one['new']} | {' | '.join(cells)} |")
    return lines

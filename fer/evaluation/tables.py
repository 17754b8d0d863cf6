"""The rows and sentences of an evaluation, as text for the page, the report and the command line."""

from __future__ import annotations

from fer.evaluation.curves import AnswerAccuracy
from fer.evaluation.evaluation import Evaluation
from fer.evaluation.prediction_sets import Coverage
from fer.wording import percent

ANSWER_COLUMNS = ("answer", "faces", "right", "95% interval")
IN_SAMPLE = "The sets were fitted on these very faces, so these numbers look better than they are."


def headline_rows(item: Evaluation) -> list[tuple[str, str]]:
    """(label, value) of the numbers at the top of a report."""
    report, more, (low, high) = item.report, item.averages, item.interval
    rows = [
        ("Accuracy", percent(report.accuracy, 1)),
        ("95% interval", f"{percent(low, 1)} to {percent(high, 1)}"),
        ("Macro precision, recall, F1", ", ".join(f"{more.macro[k]:.3f}" for k in ("precision", "recall", "f1"))),
        ("Weighted precision, recall, F1", ", ".join(f"{more.weighted[k]:.3f}" for k in ("precision", "recall", "f1"))),
        ("Top-2 accuracy", percent(more.top2, 1)),
        ("Cohen's kappa", f"{more.kappa:.3f}"),
        ("Log loss (nats)", f"{report.nll:.4f}"),
        ("ECE", f"{report.ece:.4f}"),
        ("Brier score", f"{report.brier:.4f}"),
    ]
    if report.accuracy_without_train_duplicates is not None:
        rows.insert(2, ("Accuracy without training duplicates", percent(report.accuracy_without_train_duplicates, 1)))
    return rows


def score_text(score: float | None) -> str:
    """A class's precision, recall or F1; a dash for a class that is not in the split."""
    return "–" if score is None else f"{score:.3f}"


def share_text(share: float | None) -> str:
    """A percentage, or a dash."""
    return "–" if share is None else percent(share, 1)


def answer_rows(answers: dict[str, AnswerAccuracy]) -> list[tuple[str, str, str, str]]:
    """How often each answer is right, as the cells of ANSWER_COLUMNS; dashes for an answer that was never given."""
    return [
        (
            name,
            f"{one.count:,}",
            share_text(one.right),
            "–" if one.low is None or one.high is None else f"{percent(one.low)} to {percent(one.high)}",
        )
        for name, one in answers.items()
    ]


def sets_sentence(sets: Coverage) -> str:
    """The level and coverage of prediction sets on these faces, and the class with the lowest coverage."""
    kept = {name: row["coverage"] for name, row in sets.per_class.items() if row["coverage"] is not None}
    lowest = min(kept, key=lambda name: kept[name])
    return (
        f"Prediction sets at {percent(sets.level)} contain the true expression of {percent(sets.coverage, 1)} of the "
        f"faces, with {sets.mean_size:.2f} expressions per set on average; coverage is lowest for {lowest}, "
        f"{percent(kept[lowest], 1)}." + (f" {IN_SAMPLE}" if sets.in_sample else "")
    )

"""Numbers in sentences: one way to write a percentage, a change and a count."""

from __future__ import annotations


def percent(share: float, digits: int = 0) -> str:
    """A share, 0..1, as `68%` or, with digits=1, `68.5%`; never `-0%`."""
    return f"{round(100 * share, digits) + 0.0:.{digits}f}%"


def points(share: float) -> str:
    """A difference of two shares without its sign, in percentage points: `1 point`, `12 points`."""
    return count_of(round(100 * abs(share)), "point")


def signed(share: float) -> str:
    """A change of a share in percentage points: `+3`, `-12`, `0`."""
    change = round(100 * share)
    return f"{change:+d}" if change else "0"


def signed_number(number: float, digits: int) -> str:
    """A change of anything else with its sign: `+0.012`, `-0.3`, and without one `0.0`."""
    rounded = round(number, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """`1 photo`, `1,200 photos`. plural: the noun's, where it does not just end in s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

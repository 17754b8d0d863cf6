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


def file_size(size: int) -> str:
    """Bytes as `116 KB` or `2.4 MB`."""
    return f"{max(size / 1024, 1):.0f} KB" if size < 1024 * 1000 else f"{size / 2**20:.1f} MB"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """`1 photo`, `1,200 photos`. plural: the noun's, where it does not just end in s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"

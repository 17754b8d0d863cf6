"""Numbers in sentences: one way to write a percentage, a change, a count, a duration and a date."""

from __future__ import annotations

from datetime import datetime


def percent(share: float, digits: int = 0) -> str:
    """A share, 0..1, as `68%`, or `68.5%` with digits=1; never `-0%`."""
    return f"{round(100 * share, digits) + 0.0:.{digits}f}%"


def percents_apart(share: float, limit: float) -> tuple[str, str]:
    """Two shares as `percent` writes them, with as many decimals as tell them apart: `49.8%` and `50.2%`, not both
    `50%`. Four decimals at most.
    """
    for digits in range(4):
        told = percent(share, digits), percent(limit, digits)
        if told[0] != told[1]:
            break
    return told


def points(share: float) -> str:
    """The absolute difference of two shares in percentage points: `1 point`, `12 points`."""
    return count_of(round(100 * abs(share)), "point")


def signed(share: float) -> str:
    """A share's change in percentage points: `+3`, `-12`, `0`."""
    change = round(100 * share)
    return f"{change:+d}" if change else "0"


def file_size(size: int) -> str:
    """Bytes as `116 KB` or `2.4 MB`."""
    return f"{max(size / 1024, 1):.0f} KB" if size < 1024 * 1000 else f"{size / 2**20:.1f} MB"


def signed_number(number: float, digits: int) -> str:
    """Any other change with its sign: `+0.012`, `-0.3`; zero has none: `0.0`."""
    rounded = round(number, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """`1 photo`, `1,200 photos`. plural: the noun's plural, if it is irregular."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """A duration, rounded: `40 s`, `14 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def duration_range(low_s: float, high_s: float) -> str:
    """A range of durations: `40 to 60 s`, `50 s to 2 min`; a single duration if both round to the same text."""
    low, high = duration(low_s), duration(high_s)
    if low == high:
        return low
    number, unit = low.split()
    return f"{number if unit == high.split()[1] else low} to {high}"


def date_and_time(moment: datetime, seconds: bool = False) -> str:
    """`Nov 25, 1:44 PM`; with the year if it is not the current one: `Nov 25, 2025, 1:44 PM`.

    seconds: `Nov 25, 1:44:05 PM`.
    """
    year = "" if moment.year == datetime.now(moment.tzinfo).year else f" {moment.year},"
    clock = f"{(moment.hour - 1) % 12 + 1}:{moment:{'%M:%S' if seconds else '%M'}}"
    return f"{moment:%b} {moment.day},{year} {clock} {'PM' if moment.hour > 11 else 'AM'}"

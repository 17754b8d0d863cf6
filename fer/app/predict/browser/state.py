"""What one visitor's session knows of its browser's live view: where it is read, and what it records."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from fer.app.session import RecentSlot, Slot
from fer.expressions import COUNT
from fer.limits import limits
from fer.models.card import Card
from fer.records import FaceBox, FaceRecord, Quality

Place = Literal["browser", "server"]
LONGEST_REASON, MOST_REASONS = 160, 8


@dataclass
class BrowserRecording:
    """A recording that a browser makes. id: its own name for it; rows: what has come of it, without a gap."""

    id: str
    rows: list[FaceRecord] = field(default_factory=list)
    done: bool = False


_place: Slot[str] = Slot("live_place", str)
unfit: Slot[str] = Slot("browser_unfit", str)  # why this visitor's browser cannot read, a key of live_tab's sentences
model: Slot[dict[str, object] | None] = Slot("browser_model", lambda: None)  # the one that the browser was given last
# Those that the browser was given: the model's name and card, by what it is called on the page.
cards: RecentSlot[str, tuple[str, Card]] = RecentSlot("browser_cards", 16)
# The last one that a browser began, until the next one or until the page is left.
recording: Slot[BrowserRecording | None] = Slot("browser_recording", lambda: None)


def place(default: Place) -> Place:
    """Where the visitor wants live faces read."""
    chosen = _place.get()
    return "browser" if chosen == "browser" else "server" if chosen == "server" else default


def choose_place(place: str) -> None:
    _place.set(place)
    unfit.set("")


def give_up(why: str) -> None:
    """The browser cannot read: the server does from now on, until the visitor chooses again."""
    unfit.set(why)
    _place.set("server")


def is_recording() -> bool:
    found = recording.get()
    return found is not None and not found.done


def take(batch: object) -> BrowserRecording | None:
    """Add a batch of numbers from the browser; what is not of their kind is refused whole and returns None."""
    try:
        found = _batch(batch)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        return None
    current = recording.get()
    if current is None or current.id != found.id:
        current = BrowserRecording(found.id)
        recording.set(current)
    if found.first > len(current.rows) or current.done:
        return current  # one before it was lost: the browser sends again from where Python is
    current.rows += found.rows[len(current.rows) - found.first :]
    del current.rows[limits().recorded_rows :]
    current.done = found.done
    return current


def leave() -> list[FaceRecord]:
    """The page is left: what has come of a recording that is not done, which then is."""
    found = recording.get()
    if found is None or found.done:
        return []
    found.done = True
    return found.rows


@dataclass(frozen=True)
class _Batch:
    id: str
    first: int
    rows: list[FaceRecord]
    done: bool


def _batch(values: object) -> _Batch:
    if not isinstance(values, dict) or not isinstance(values["rows"], list):
        raise TypeError("no batch")
    if len(values["rows"]) > limits().recorded_rows:
        raise ValueError("too many rows")
    return _Batch(
        str(values["recording"])[:64],
        _whole(values["first"]),
        [_row(row) for row in values["rows"]],
        bool(values["done"]),
    )


def _row(values: list[object]) -> FaceRecord:
    """What is sure, and which set, is not the browser's to say: its card judges here."""
    time_s, person, probabilities, box, reasons, model = values
    if not (isinstance(probabilities, list) and isinstance(box, list) and isinstance(reasons, list)):
        raise TypeError("no row")
    shares = tuple(map(_number, probabilities))
    if len(shares) != COUNT or not all(0 <= share <= 1 for share in shares):
        raise ValueError("no probabilities")
    if len(reasons) > MOST_REASONS or not all(isinstance(reason, str) for reason in reasons):
        raise ValueError("no reasons")
    x, y, width, height, score = map(_number, box)
    told = tuple(str(reason)[:LONGEST_REASON] for reason in reasons)
    name, card = cards.get()[str(model)]
    face = card.judge(FaceBox(x, y, width, height, score, detector="yunet"), shares, Quality(not told, told))
    return FaceRecord(face, time_s=_number(time_s), person=_whole(person), model=name)


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _whole(value: object) -> int:
    if (number := _number(value)) != int(number) or number < 0:
        raise ValueError("no whole number")
    return int(number)

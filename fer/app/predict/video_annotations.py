"""A visitor's notes about a video: names of people and marked moments. Kept in the session across pages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from fer.app.predict import state
from fer.inference.recording import Event
from fer.inference.timeline import Person

MOST_EVENTS, MOST_NAMES, LONGEST_NAME = 500, 500, 60


@dataclass
class Annotations:
    """names: by a person's first number. events: by time. edits: the number of changes, by which the page recognizes
    an older version.
    """

    names: dict[int, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    edits: int = 0

    def to_json(self) -> dict[str, object]:
        """In the viewer's format."""
        names = {str(person): name for person, name in self.names.items()}
        events = [{"timeS": event.time_s, "name": event.name} for event in self.events]
        return {"edits": self.edits, "names": names, "events": events}

    def name_of(self, person: Person) -> str:
        """The name, else "Person 1"."""
        return self.names.get(person.number) or person.label.capitalize()

    def names_by_number(self, people: Iterable[Person]) -> dict[int, str]:
        """For an export: the name for each number in the picture."""
        return {
            number: self.names[person.number]
            for person in people
            if person.number in self.names
            for number in person.numbers
        }


def of_video(video: tuple[str, str]) -> Annotations:
    """The notes on one video, by its digest and the detector; later notes go into the same object."""
    return state.video_notes.get().setdefault(video, Annotations())


def take(noted: Annotations, values: object) -> None:
    """Replace the notes by the viewer's message; an invalid one is rejected completely."""
    try:
        noted.names, noted.events, noted.edits = _checked(values)
    except (TypeError, ValueError, KeyError, OverflowError):
        return


def _checked(values: object) -> tuple[dict[int, str], list[Event], int]:
    if not isinstance(values, dict) or not isinstance(values["names"], dict) or not isinstance(values["events"], list):
        raise TypeError("no annotations")
    if len(values["events"]) > MOST_EVENTS or len(values["names"]) > MOST_NAMES:
        raise ValueError("too many")
    names = {int(person): _text(name) for person, name in values["names"].items()}
    events = [Event(_seconds(event["timeS"]), _text(event["name"])) for event in values["events"]]
    return {person: name for person, name in names.items() if name}, sorted(events), int(values["edits"])


def _text(value: object) -> str:
    """One line without invisible characters."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())[:LONGEST_NAME]


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError("no time")
    return round(float(value), 3)

"""What a visitor noted about a video: names of its people, and marked moments. In the session, over page changes."""

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
    """names: by a person's first number; events: by time. edits: how often the page changed them, so that it can tell
    its own latest from an older one.
    """

    names: dict[int, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    edits: int = 0

    def to_json(self) -> dict[str, object]:
        """As the viewer takes it and gives it back."""
        names = {str(person): name for person, name in self.names.items()}
        events = [{"timeS": event.time_s, "name": event.name} for event in self.events]
        return {"edits": self.edits, "names": names, "events": events}

    def name_of(self, person: Person) -> str:
        """The name, else "Person 1"."""
        return self.names.get(person.number) or person.label.capitalize()

    def names_by_number(self, people: Iterable[Person]) -> dict[int, str]:
        """For an export: the name of each number that the picture shows."""
        return {
            number: self.names[person.number]
            for person in people
            if person.number in self.names
            for number in person.numbers
        }


def of_video(video: tuple[str, str]) -> Annotations:
    """Those of one video, by its digest and the detector; what is noted later stands in the same ones."""
    return state.video_notes.get().setdefault(video, Annotations())


def take(noted: Annotations, values: object) -> None:
    """Put what the viewer says in its place; what is not of its kind is refused whole."""
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
    """One line without what cannot be seen."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())[:LONGEST_NAME]


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError("no time")
    return round(float(value), 3)

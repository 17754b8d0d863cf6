"""The Streamlit component (components v2) with an interactive timeline of a video or recording."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from fer.app import session
from fer.app.media import served
from fer.app.predict.video_annotations import LONGEST_NAME, MOST_EVENTS, Annotations
from fer.expressions import COLORS, INDEX, NAMES, UNSURE_COLOR
from fer.inference.timeline import Person
from fer.records import FaceRecord

HERE = Path(__file__).parent / "viewer"
HTML = '<div class="place"></div>'
READINGS_PER_S = 5.0  # of a recording, sent to the page; smoothed probabilities change no faster
HOLD_S = 0.15  # a person in a recording is there for that long after the last reading: a camera is read that often
MOST_READINGS = 20_000  # half a megabyte


@dataclass(frozen=True)
class ShownMoment:
    """A JPEG picture below the timeline that links to its moment."""

    jpeg: bytes
    caption: str
    time_s: float


def show_video(
    key: str,
    video: bytes,
    people: Sequence[Person],
    end_s: float,
    moments: Sequence[ShownMoment],
    annotations: Annotations,
    on_annotations_change: Callable[[], None],
) -> None:
    """A video (MP4) with the timeline of its people. In the handler, `said` has the visitor's notes."""
    shown = [
        {
            "url": served(moment.jpeg, "image/jpeg", f"fer_viewer.{key}.{index}"),
            "caption": moment.caption,
            "timeS": moment.time_s,
        }
        for index, moment in enumerate(moments)
    ]
    url = served(video, "video/mp4", f"fer_viewer.{key}")
    given = {"url": url, "moments": shown, "annotations": annotations.to_json()}
    data = _data(url, people, end_s, [[] for _ in people])
    _component()(key=key, data={**data, "holdS": 0, "video": given}, on_annotations_change=on_annotations_change)


def show_recording(key: str, people: Sequence[Person], end_s: float) -> None:
    """A recording's timeline, and below it each person's expression at the chosen moment."""
    every_s = max(1 / READINGS_PER_S, len(people) * end_s / MOST_READINGS)
    readings = [[_reading(row) for row in thinned(person.rows, every_s)] for person in people]
    identity = hashlib.blake2b(repr((end_s, readings)).encode(), digest_size=12).hexdigest()
    data = _data(identity, people, end_s, readings)
    _component()(key=key, data={**data, "holdS": HOLD_S, "video": None})


def said(key: str) -> object:
    """In a handler: the visitor's notes."""
    return (session.widget(key, dict) or {}).get("annotations")


def thinned(rows: Sequence[FaceRecord], every_s: float) -> list[FaceRecord]:
    """The rows at this interval in seconds, including the first."""
    kept: list[FaceRecord] = []
    for row in rows:
        if not kept or row.time_s - kept[-1].time_s >= every_s - 1e-6:
            kept.append(row)
    return kept


def _data(
    identity: str, people: Sequence[Person], end_s: float, readings: Sequence[Sequence[object]]
) -> dict[str, object]:
    """For viewer/types.d.ts's Data."""
    return {
        "id": identity,
        "names": list(NAMES),
        "colors": [COLORS[name] for name in NAMES],
        "unsureColor": UNSURE_COLOR,
        "longestName": LONGEST_NAME,
        "mostEvents": MOST_EVENTS,
        "endS": max(round(end_s, 2), 0.1),  # as the spans are
        "people": [
            {
                "number": person.number,
                "label": person.label,
                "spans": [
                    [round(begin, 2), round(end, 2), INDEX.get(told, -1)] for told, begin, end in person.stretches
                ],
                "readings": read,
            }
            for person, read in zip(people, readings, strict=True)
        ],
    }


def _reading(row: FaceRecord) -> list[object]:
    face = row.prediction
    return [round(row.time_s, 2), INDEX.get(face.answer, -1), [round(100 * share) for share in face.probabilities]]


@cache
def _component() -> Any:
    css, js = ((HERE / name).read_text(encoding="utf-8") for name in ("style.css", "viewer.js"))
    return st.components.v2.component("fer_viewer", html=HTML, css=css, js=js)

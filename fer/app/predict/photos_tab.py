"""Predict's first view: photos and their expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.app import errors, resources, widgets
from fer.app.explain import state as explain_state
from fer.app.explain.state import Explained
from fer.app.markdown import plain
from fer.app.predict import face_picker, photo_input, photo_reading, state
from fer.app.predict.photo_reading import Photo, Reading
from fer.app.table import Shares, table
from fer.errors import FerError
from fer.limits import limits
from fer.records import FaceRecord, set_words
from fer.wording import count_of, file_size, percent

TABLE = "all_faces"
LINE_HEIGHT = 44  # pixels, of the button inside, so that elements below do not move when it disappears
LISTED = 3  # photos listed by name
LONGEST_NAME = 40  # characters


def show() -> None:
    """The visitor's photos, each as soon as it is read; then the slower results, and all faces in a table."""
    photos = chosen_photos()
    readings, answers = [], []
    for reading in read_all(photos):
        readings.append(reading)
        answers.append(show_answer(reading))
    for answer in filter(None, answers):
        with errors.guarded():
            follow_up(answer)
    if any(reading.faces for reading in readings):
        show_table(readings)


def chosen_photos() -> list[Photo]:
    """The visitor's photos, below the controls to add and remove some."""
    _open_address()
    photos = state.photos()
    invitation = st.empty()  # removed at once with the first photo, so that nothing moves later
    if not photos:
        with invitation.container():
            photo_input.drop_zone()
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown("Or try a sample:")
                photo_input.sample_buttons("sample", photo_input.take_sample)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if photos:
            _list_photos(photos)
        photo_input.listen()
    photo_input.show_left_out()
    return photos


def _open_address() -> None:
    """Open the sample in the address, once; keep the first photo's name in the address if it is a sample."""
    named, known = st.query_params.get("sample"), state.sample_of_address.get()
    if named in resources.SAMPLE_NAMES and named != known:
        photo_input.take_sample(named)
    photos = state.photos()
    shown = photo_reading.sample_name(photos[0]) if photos else None
    state.sample_of_address.set(shown or "")
    if shown and shown != named:
        st.query_params["sample"] = shown
    elif named and not shown:
        del st.query_params["sample"]


def _list_photos(photos: list[Photo]) -> None:
    """Add photos, and list each with a button to remove it; a long list opens in a popover."""
    # A new number after each added photo, since a new popover is closed.
    with st.popover("Add photos", icon=":material/add_photo_alternate:", key=f"adding_{state.inputs.get()}"):
        photo_input.drop_zone()
        with st.container(horizontal=True):
            photo_input.sample_buttons("sample", photo_input.take_sample)
    if len(photos) > LISTED:
        size = file_size(sum(len(photo.data) for photo in photos))
        with st.popover(f"{count_of(len(photos), 'photo')}, {size}", icon=":material/photo_library:"):
            _removals(photos)
    else:
        _removals(photos)
    if len(photos) > 1:
        st.button("Remove all", on_click=state.remove_all_photos, icon=":material/delete_sweep:")


def _removals(photos: list[Photo]) -> None:
    for photo in photos:
        st.button(
            plain(f"Remove {_short(photo.name)}, {file_size(len(photo.data))}"),
            key=f"remove_{photo.key}",
            on_click=state.remove_photo,
            args=(photo.key,),
            icon=":material/close:",
            type="tertiary",
        )


def read_all(chosen: list[Photo]) -> Iterator[Reading]:
    """Read the photos one by one, yielding each as soon as its answer is ready; for several, shows progress with a
    Stop button.
    """
    line = st.container(
        horizontal=True, vertical_alignment="center", border=False, height=LINE_HEIGHT if len(chosen) > 1 else "content"
    )
    with line:
        place, way_out = st.empty(), st.empty()
    queue = st.empty()  # the queue's notice, always created so that elements below keep their positions
    read = failed = 0
    keys = [photo_reading.key_of(photo) for photo in chosen]
    if len(chosen) > 1:
        stop, unread = state.stop_reading.set, frozenset(keys)
        way_out.button("Stop reading", on_click=stop, args=(unread,), icon=":material/stop_circle:")
    for number, (photo, key) in enumerate(zip(chosen, keys, strict=True), 1):
        # Earlier results stay, and what is asked for after Stop, such as another model's reading, is not stopped.
        if key in state.stop_reading.get() and key not in state.results():
            continue
        if len(chosen) > 1:
            place.progress(number / len(chosen), f"Reading photo {number} of {len(chosen)}")
        with queue:
            reading = read_one(photo)
        read, failed = read + 1, failed + bool(reading.error)
        yield reading
    way_out.empty()
    if read < len(chosen):
        place.markdown(f"Stopped after {read} of {len(chosen)} photos.")
        with line:
            st.button("Continue", on_click=state.stop_reading.set, args=(frozenset(),), icon=":material/play_arrow:")
    elif len(chosen) > 1:
        place.markdown(_outcome(len(chosen), failed))


def _outcome(photos: int, failed: int) -> str:
    if not failed:
        return f"All {photos} photos were read."
    if failed == photos:
        return f"None of the {photos} photos could be read."
    return f"{photos - failed} of {photos} photos were read; {failed} could not be."


def read_one(photo: Photo) -> Reading:
    """Never raises, so that one bad photo does not stop the others."""
    try:
        return photo_reading.read_photo(photo)
    except Exception as error:
        message = errors.sentence_for(error, "A photo failed", errors.PAGE_ADVICE)
        return photo_reading.failed(photo, error if isinstance(error, FerError) else FerError(message))


@dataclass(frozen=True)
class Answer:
    """A photo with its answer on the page, and places for the rest. number: the face shown, from 1."""

    reading: Reading
    number: int
    meter: DeltaGenerator
    steps: DeltaGenerator
    queue: DeltaGenerator


def show_answer(reading: Reading) -> Answer | None:
    """One photo: the picture with its faces, and one face in detail. None if nothing can follow."""
    with st.container(border=True):
        widgets.photo_name(reading.photo.name)
        if reading.error:
            errors.show_error(reading.error.message, ":material/broken_image:")
            return None
        picture, detail = st.columns([3, 2], gap="medium")
        with picture:
            for note in reading.notes:
                st.caption(plain(note))
            face_picker.picture(reading)
        with detail:
            if not reading.faces:
                face_picker.no_face(reading)
                return None
            number, meter = show_face(reading)
        # Below both columns, so that on a phone the answer comes before the names and the steps.
        if len(reading.faces) > 1:
            face_picker.names(reading)
        answer = Answer(reading, number, meter, steps=st.empty(), queue=st.empty())
    if reading.followed_up(number):
        fill_in(answer)
    else:
        if number <= limits().stable_faces:
            with meter.container():
                widgets.stability_to_come(reading.faces[number - 1].expression)
        with answer.steps.container():
            widgets.steps_to_come(photo_reading.STEPS)
    return answer


def follow_up(answer: Answer) -> None:
    """The results that take longer than the answer, if missing: the label's stability and the strip of steps."""
    if answer.reading.followed_up(answer.number):
        return
    with answer.queue:
        answer.reading.follow_up(answer.number)
    fill_in(answer)


def fill_in(answer: Answer) -> None:
    reading, number = answer.reading, answer.number
    if number <= len(reading.stabilities):
        with answer.meter.container():
            expression, card = reading.faces[number - 1].expression, reading.reader.card
            widgets.stability_note(reading.stabilities[number - 1], expression, card)
    with answer.steps.container():
        widgets.steps_strip(reading.strips[number])


def show_face(reading: Reading) -> tuple[int, DeltaGenerator]:
    """The selected face's words and bars; returns its number, from 1, and the place for its stability."""
    number = face_picker.selected(reading)
    face = reading.faces[number - 1]
    widgets.verdict(face, reading.reader.card)
    widgets.probability_chart(face, key=f"bars_{reading.photo.key}_{reading.detector}")
    meter = st.empty()
    if st.button("Explain this face", key=f"explain_{reading.photo.key}", icon=":material/travel_explore:"):
        face_picker.select(reading, number)
        explain_state.explain_face(Explained(reading.photo))
        st.switch_page("pages/explain.py")
    face_picker.undo_whole(reading)
    return number, meter


def show_table(readings: list[Reading]) -> None:
    """All faces of all photos, with the last photo's selected one marked; a click selects."""
    records = photo_reading.records_of(readings)
    st.header("All faces")
    faces = [(reading, number) for reading in readings for number in range(1, len(reading.faces) + 1)]
    photo = state.last_selected(reading.photo.key for reading, _ in faces) or faces[0][0].photo.key
    shown = next(
        row for row, (one, number) in enumerate(faces) if one.photo.key == photo and number == face_picker.selected(one)
    )
    table(
        ["face", "answer", "best guess", "probabilities", "set", "quality"],
        [_table_row(record, len(readings) > 1) for record in records],
        "All faces",
        key=TABLE,
        selected=shown,
        on_select=lambda row: face_picker.select(*faces[row]),
    )
    with st.container(horizontal=True):  # files are made on request, not on every rerun
        widgets.download("CSV", lambda: photo_reading.to_csv(records), "expressions.csv", "text/csv", "faces_csv")
        widgets.download(
            "JSON", lambda: photo_reading.to_json(readings), "expressions.json", "application/json", "faces_json"
        )


def _table_row(record: FaceRecord, several: bool) -> list[str | Shares]:
    """several: whether there are other photos, so that the photo must be named."""
    face = record.prediction
    return [
        f"{_short(record.input)}, face {record.person}" if several else f"Face {record.person}",
        face.answer,
        f"{face.expression} {percent(face.confidence)}",
        Shares(face.probabilities),
        set_words(face.prediction_set),
        "; ".join(face.quality.reasons) or "ok",
    ]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

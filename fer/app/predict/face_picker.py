"""Select one face of a photo, on the picture or by name; both use the selection in predict/state.py."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import streamlit as st

from fer.app import session
from fer.app.media import served
from fer.app.predict import state
from fer.app.predict.photo_reading import Reading
from fer.records import FaceBox, Prediction
from fer.vision.detection import overlap
from fer.visualization import face_dots
from fer.visualization.render import face_color, face_label, ink_on
from fer.wording import percent

KEPT_AS = "face_picker"  # among the page's media
MANY = 20  # faces; longer lists scroll in a box
LIST_HEIGHT = 140  # height of that box in pixels: three rows
# Streamlit sends this text with each photo and each rerun; the browser loads the module itself only once.
_JS = """export default async (component) => {
  const { default: show } = await import(new URL(component.data.module, location.href));
  return show(component);
};"""
_MODULE = Path(__file__).with_suffix(".js").read_bytes()
_component = st.components.v2.component("fer_face_picker", js=_JS)


def selected(reading: Reading) -> int:
    """The selected face's number, from 1: the one that overlaps most with the selected box, else the largest."""
    box = state.selected_face(reading.photo.key)
    if box is None:
        return 1
    return max(range(1, len(reading.faces) + 1), key=lambda number: overlap(reading.faces[number - 1].box, box))


def select(reading: Reading, number: int) -> None:
    """number: the face's, from 1."""
    state.select_face(reading.photo.key, reading.faces[number - 1].box)


def picture(reading: Reading) -> None:
    """The photo with its faces outlined, and numbered if there are several; a click or an arrow key selects one."""
    key = f"picture_{reading.photo.key}_{reading.detector}"
    width, height = reading.width or 1, reading.height or 1
    labels = ", ".join(face_label(face) for face in reading.faces) or "none"
    data = {
        "module": served(_MODULE, "text/javascript", f"{KEPT_AS}.module"),
        "picture": served(reading.picture, "image/jpeg", f"{KEPT_AS}.{key}"),
        "width": width,
        "height": height,
        "alt": f"The photo with its faces marked: {labels}",
        "faces": _faces(reading.faces, width, height),
        "selected": selected(reading) - 1 if reading.faces else -1,
        "handled": _picked(key)[1],
    }
    _component(data=data, key=key, on_pick_change=partial(_on_pick, reading, key))


def names(reading: Reading, sortable: bool = True) -> None:
    """The faces of a photo with several, by number and answer; a click selects one. sortable: offer a sort order."""
    key, count = f"{reading.photo.key}_{reading.detector}", len(reading.faces)
    if sortable:
        _order_choice(f"Sort the {count} faces by", f"order_{key}")
    session.set_widget(face_key := f"face_{key}", selected(reading))
    with st.container(height=LIST_HEIGHT if count > MANY else "content", border=count > MANY):
        st.pills(
            f"{count} faces",
            in_order(reading.faces, state.face_order.get()),
            required=True,
            wrap=True,
            key=face_key,
            label_visibility="collapsed" if sortable else "visible",
            format_func=lambda number: f"{number} {reading.faces[number - 1].answer}",
            on_change=lambda: select(reading, session.widget(face_key, int) or 1),
        )


def no_face(reading: Reading) -> None:
    """Shown instead of an answer if no face was found, with advice."""
    st.markdown("## No face found")
    st.markdown(
        "Faces must be at least 20 pixels wide and look at the camera. Try another face detector in the "
        "sidebar. If the picture is a close-up of one face:"
    )
    st.button(
        "Treat the whole picture as a face",
        key=f"whole_{reading.photo.key}",
        on_click=state.take_whole,
        args=(reading.photo.key,),
        icon=":material/crop_free:",
    )


def undo_whole(reading: Reading) -> None:
    """A button to search for faces again, after treating the whole picture as a face."""
    if state.as_whole(reading.photo.key):
        st.button(
            "Look for faces again",
            key=f"search_{reading.photo.key}",
            on_click=state.take_whole,
            args=(reading.photo.key, False),
        )


def _order_choice(label: str, key: str) -> None:
    session.set_widget(key, state.face_order.get())
    st.segmented_control(
        label,
        state.FACE_ORDERS,
        required=True,
        key=key,
        on_change=lambda: state.face_order.set(session.widget(key, str) or state.FACE_ORDERS[0]),
    )


def in_order(faces: tuple[Prediction, ...], order: str) -> list[int]:
    """The faces' numbers, from 1, in one of state.FACE_ORDERS: largest or least sure first."""
    numbers = list(range(1, len(faces) + 1))
    if order == "uncertainty":
        numbers.sort(key=lambda number: (faces[number - 1].sure, faces[number - 1].confidence))
    return numbers


def _on_pick(reading: Reading, key: str) -> None:
    number, _ = _picked(key)
    if 1 <= number <= len(reading.faces):
        select(reading, number)


def _picked(key: str) -> tuple[int, int]:
    """The browser's last message: a face's number, from 1, and a count of its messages; zeros if there is none."""
    said = (session.widget(key, dict) or {}).get("pick")
    face, count = (said.get("face"), said.get("count")) if isinstance(said, dict) else (0, 0)
    return (face, count) if isinstance(face, int) and isinstance(count, int) else (0, 0)


def _faces(faces: tuple[Prediction, ...], width: int, height: int) -> list[dict[str, object]]:
    boxes = tuple(face.box for face in faces)
    dots, sides = _layout(boxes, width, height)
    return [
        {
            "box": _rounded(box.x, box.y, box.width, box.height),
            "dot": _rounded(dot.x, dot.y, dot.radius, dot.line_x, dot.line_y),
            "color": face_color(face),
            "ink": ink_on(face_color(face)),
            "label": _label(number, face),
            "neighbors": neighbors,
        }
        for number, (face, box, dot, neighbors) in enumerate(zip(faces, boxes, dots, sides, strict=True), 1)
    ]


def _rounded(*lengths: float) -> list[float]:
    return [round(length, 1) for length in lengths]


def _label(number: int, face: Prediction) -> str:
    """A face's label for screen readers and the tooltip."""
    return (
        f"Face {number}: {face.answer}, {percent(face.confidence)}"
        if face.sure
        else f"Face {number}: {face_label(face)}"
    )


@lru_cache(maxsize=256)
def _layout(
    boxes: tuple[FaceBox, ...], width: int, height: int
) -> tuple[list[face_dots.Dot], list[dict[str, int | None]]]:
    """Cached, so that a click on a page of many photos does not place dots again."""
    return face_dots.place_dots(boxes, width, height), face_dots.neighbors(boxes)

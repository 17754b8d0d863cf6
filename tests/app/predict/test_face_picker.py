"""Picture, names, table and Explain show and change one selected face."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from streamlit.components.v2.bidi_component.main import _make_trigger_id

from fer.app.predict.face_picker import in_order
from fer.records import FaceBox, Prediction
from fer.vision.images import read_image
from tests.app.helpers import change, control, upload_photos, words
from tests.conftest import ROOT


@pytest.fixture
def two(tmp_path) -> bytes:
    """Two portraits side by side."""
    portraits = [read_image(ROOT / "fer/app/samples" / f"{name}.jpg") for name in ("astronaut", "grace-hopper")]
    Image.fromarray(np.hstack([picture[:512, :512] for picture in portraits])).save(tmp_path / "two.png")
    return (tmp_path / "two.png").read_bytes()


class Views:
    """What a page shows of its selection: on the picture, in the names, in the table."""

    def __init__(self, app) -> None:
        self.app = app

    def _component(self, name: str):
        protos = [element.proto for element in self.app.get("bidi_component")]
        return next(proto for proto in protos if proto.component_name == name)

    @property
    def component(self):
        return self._component("fer_face_picker")

    @property
    def table(self):
        return self._component("fer_table")

    @property
    def data(self) -> dict:
        return json.loads(self.component.json)

    @property
    def names(self):
        return next(group for group in self.app.get("button_group") if group.key.startswith("face_"))

    @property
    def row(self) -> int:
        return json.loads(self.table.json)["selected"]

    def shown(self) -> set[int]:
        """The selected face's number, from 1, by each of the three."""
        return {self.data["selected"] + 1, self.names.value, self.row + 1}

    def choose_row(self, row: object) -> None:
        said = json.dumps([{"event": "row", "value": row}])
        change(self.app, _make_trigger_id(self.table.id, "events"), json_trigger_value=said)

    def pick(self, face: object, count: object = 1) -> None:
        value = {"pick": {"face": face, "count": count}}
        change(self.app, self.component.id, json_value=json.dumps(value))


@pytest.fixture
def views(app, two) -> Views:
    return Views(upload_photos(app, ("two.png", two)))


def test_picture_names_and_table_are_one_selection(views):
    app = views.app
    assert views.shown() == {1} and [face["label"][:7] for face in views.data["faces"]] == ["Face 1:", "Face 2:"]
    said = {1: words(app)}
    views.pick(2)
    said[2] = words(app)
    assert not app.exception and views.shown() == {2} and said[2] != said[1] and views.data["handled"] == 1
    views.names.set_value(1).run()
    assert views.shown() == {1} and words(app) == said[1]
    views.choose_row(1)
    assert not app.exception and views.shown() == {2} and words(app) == said[2]


@pytest.mark.parametrize("row", [2, -1, 1e9, "1", None, [1]])
def test_what_is_no_row_selects_nothing(views, row):
    views.choose_row(row)
    assert not views.app.exception and views.shown() == {1}


@pytest.mark.parametrize("face", [0, 3, -1, 1e9, "2", None, [2], True])
def test_what_is_no_face_selects_nothing(views, face):
    views.pick(face)
    assert not views.app.exception and views.shown() == {1}


def test_explain_opens_the_selected_face_and_selects_for_predict(views, monkeypatch):
    from fer.app.explain import measurements

    monkeypatch.setattr(measurements, "work", lambda *given: None)  # it takes half a minute, and is another test's
    app = views.app
    views.pick(2)
    next(button for button in app.button if button.label == "Explain this face").click().run()
    assert app.title[0].value == "Explain" and views.data["selected"] == 1 and views.names.value == 2
    app.switch_page("pages/explain.py").run()  # AppTest takes no notice of the page's own switch
    views.pick(1)
    assert not app.exception and views.data["selected"] == 0 and views.names.value == 1
    (box,) = app.session_state["selected_faces"].values()
    assert [round(value, 1) for value in (box.x, box.y, box.width, box.height)] == views.data["faces"][0]["box"]


def test_a_selection_lasts_while_other_photos_come_and_is_marked_in_the_table(app, two, sample):
    upload_photos(app, ("two.png", two))
    Views(app).pick(2)
    upload_photos(app, ("a.jpg", sample.read_bytes()), ("two.png", two))
    assert not app.exception and Views(app).row == 2  # the second face of the second photo
    assert Views(app).names.value == 2
    Views(app).choose_row(0)
    assert Views(app).row == 0 and Views(app).names.value == 2  # each photo has its own


def test_the_least_sure_first_keeps_the_numbers(views):
    app = views.app
    key = views.names.key.removeprefix("face_")
    faces = next(one.faces for one in app.session_state["photo_results"].values() if len(one.faces) > 1)
    control(app, f"order_{key}").set_value("uncertainty").run()
    assert not app.exception and views.shown() == {1}
    expected = in_order(faces, "uncertainty")
    assert [option.split()[0] for option in views.names.options] == [str(number) for number in expected]
    assert in_order(faces, "size") == [1, 2]
    box = FaceBox(0, 0, 9, 9, detector="none")
    made = tuple(
        Prediction(box, (share, 1 - share, 0, 0, 0, 0, 0), sure)
        for share, sure in ((0.9, True), (0.6, False), (0.8, True), (0.55, False))
    )
    assert in_order(made, "uncertainty") == [4, 2, 3, 1]


def test_one_face_is_outlined_without_a_choice(app, sample):
    upload_photos(app, ("one.jpg", sample.read_bytes()))
    data = Views(app).data
    assert len(data["faces"]) == 1 and data["alt"] == "The photo with its faces marked: happy"
    assert not app.get("button_group") and not app.exception


def test_a_click_decodes_nothing_and_places_no_dot_anew(views, monkeypatch):
    from fer.app.predict import photo_reading
    from fer.visualization import face_dots, render

    views.pick(2)  # its steps are made
    made = []
    for owner, name in ((photo_reading, "decode"), (render, "jpeg"), (face_dots, "place_dots")):
        monkeypatch.setattr(owner, name, lambda *given, name=name: made.append(name))
    views.pick(1, count=2)
    views.pick(2, count=3)
    assert not made and views.shown() == {2}

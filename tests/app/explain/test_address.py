"""The face in Explain's address, by AppTest: what a reload reopens, and what it says is gone."""

from __future__ import annotations

import pytest

from fer.app.explain import address
from fer.app.explain.state import DataRow
from fer.limits import HOSTED
from tests.app.helpers import upload_photos, words


@pytest.fixture
def explain(home, unmeasured):
    return home.switch_page("pages/explain.py").run()


def reload(app, **parameters: str):
    """A new session of the same address."""
    app.switch_page("pages/explain.py").run()  # AppTest's own page is not the one that a click on a button leads to
    for key in ("explained_face", "selected_faces", "explain_address", "photos", "photo_results", "newest_photo"):
        if key in app.session_state:
            del app.session_state[key]
    app.query_params.clear()
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def shown(app) -> str:
    """The name of the explained photo."""
    return app.session_state["explained_face"].photo.name


def in_address(app) -> dict[str, str]:
    return {name: app.query_params[name] for name in address.PARAMETERS if name in app.query_params}


def test_a_sample_and_its_face_reopen(explain):
    assert in_address(explain) == {}  # the page as it opens
    explain.button(key="explain_sample_four-portraits").click().run()
    (faces,) = [group for group in explain.get("button_group") if "faces" in group.label]
    faces.set_value(3).run()
    assert in_address(explain) == {"sample": "four-portraits", "face": "3"}
    reload(explain, **in_address(explain))
    assert not explain.exception and shown(explain) == "four-portraits.jpg"
    (faces,) = [group for group in explain.get("button_group") if "faces" in group.label]
    assert faces.value == 3 and in_address(explain) == {"sample": "four-portraits", "face": "3"}


def test_the_model_and_the_detector_reopen(explain):
    explain.selectbox(key="model_widget").set_value("mini_xception").run()
    explain.selectbox(key="detector_widget").set_value("hog").run()
    address_then = {"model": "mini_xception", "detector": "hog"}
    assert in_address(explain) == address_then
    explain.selectbox(key="model_widget").set_value("compact").run()
    explain.selectbox(key="detector_widget").set_value("auto").run()
    assert in_address(explain) == {}
    reload(explain, **address_then, sample="grace-hopper")
    assert not explain.exception and shown(explain) == "grace-hopper.jpg"
    assert explain.selectbox(key="model_widget").value == "mini_xception"
    assert explain.selectbox(key="detector_widget").value == "hog"
    assert in_address(explain) == {**address_then, "sample": "grace-hopper"}
    explain.selectbox(key="model_widget").set_value("compact").run()  # a visitor's choice stays
    assert explain.selectbox(key="model_widget").value == "compact"
    assert in_address(explain) == {"detector": "hog", "sample": "grace-hopper"}


def test_a_model_or_detector_that_is_not_there_is_left_out(explain):
    reload(explain, sample="grace-hopper", model="../secret", detector="none at all")
    assert not explain.exception and shown(explain) == "grace-hopper.jpg"
    assert in_address(explain) == {"sample": "grace-hopper"}


@pytest.mark.parametrize("face", ["99", "0", "-1", "x", "9" * 400])
def test_a_face_that_is_not_there_is_the_largest(explain, face):
    reload(explain, sample="four-portraits", face=face)
    assert not explain.exception and not explain.error and in_address(explain) == {"sample": "four-portraits"}


def test_an_uploaded_face_is_said_to_be_gone_and_the_page_works(home, unmeasured, sample):
    upload_photos(home, ("own secret.jpg", sample.read_bytes() + b"own"))
    next(button for button in home.button if button.label == "Explain this face").click().run()
    assert in_address(home) == {"photo": "upload"}
    reload(home, photo="upload")
    for _ in range(2):  # it stays
        assert not home.exception and len(home.info) == 1 and "your own photo" in home.info[0].value
        assert "## Happy" in words(home)  # of a sample
        home.run()
    home.button(key="explain_sample_grace-hopper").click().run()
    assert not home.info and in_address(home) == {"sample": "grace-hopper"}


def fill_in(app, path: str, part: str, row: int):
    app.text_input(key="explain_data").set_value(path)
    app.selectbox(key="explain_split").set_value(part)
    app.number_input(key="explain_row").set_value(row)
    next(button for button in app.button if button.label == "Explain this row").click().run()
    return app


def test_a_row_of_a_data_set_reopens(explain, small_csv):
    fill_in(explain, str(small_csv), "Training", 5)
    assert not explain.exception and not explain.error
    expected = {"data": str(small_csv), "part": "Training", "row": "5"}
    assert in_address(explain) == expected and "Labeled **surprise**" in words(explain)
    reload(explain, **expected)
    assert not explain.exception and explain.session_state["explained_face"].row == DataRow(
        str(small_csv), "Training", 5
    )
    assert "Labeled **surprise**" in words(explain) and in_address(explain) == expected


def test_the_form_keeps_its_values_after_an_error(explain, small_csv, tmp_path):
    for path, part, row, says in (
        (str(tmp_path / "none.csv"), "Training", 7, "none"),
        (str(small_csv), "PublicTest", 28, "0 to 27"),
    ):
        fill_in(explain, path, part, row)
        assert not explain.exception and len(explain.error) == 1 and says in explain.error[0].value.replace("\\", "")
        assert "## Happy" in words(explain)  # the face of before
        explain.switch_page("streamlit_app.py").run()
        explain.switch_page("pages/explain.py").run()
        values = (explain.text_input(key="explain_data"), explain.selectbox(key="explain_split"))
        assert [one.value for one in values] == [path, part] and explain.number_input(key="explain_row").value == row


@pytest.mark.parametrize(
    "named",
    [
        {"part": "FinalTest", "row": "0"},
        {"part": "Training", "row": "9999"},
        {"part": "Training", "row": "-1"},
        {"part": "Training"},
        {},
    ],
)
def test_a_row_that_cannot_be_reopened_is_a_sentence(explain, small_csv, named):
    reload(explain, data=str(small_csv), **named)
    assert not explain.exception and len(explain.info) == 1 and "## Happy" in words(explain)


def test_a_path_that_no_file_can_have_is_a_sentence_on_the_page(explain):
    reload(explain, data="x" * 300, part="PublicTest", row="0")
    assert not explain.exception and not any("went wrong" in error.value for error in explain.error)
    assert "## Happy" in words(explain)


def test_the_demo_neither_reads_nor_writes_a_servers_path(explain, small_csv, monkeypatch):
    monkeypatch.setattr(address, "limits", lambda: HOSTED)
    monkeypatch.setattr("fer.app.resources.dataset", None)
    reload(explain, data=str(small_csv), part="Training", row="5")
    assert not explain.exception and not explain.error and in_address(explain) == {}


def test_a_face_of_the_gallery_is_no_photo_to_go_back_to(explain, small_csv):
    fill_in(explain, str(small_csv), "Training", 0)
    assert not any("Back to this photo" in button.label for button in explain.button)
    assert not explain.session_state["photos"]

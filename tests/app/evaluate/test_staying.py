"""What a visitor did on Evaluate is still there when they come back, and a path reopens from the address."""

from __future__ import annotations

import pytest

from fer.expressions import NAMES
from fer.limits import OPEN
from tests.app.evaluate.helpers import evaluate, evaluate_part
from tests.app.helpers import control, tables, words
from tests.conftest import write_csv


def leave_and_return(app):
    app.switch_page("pages/predict.py").run()
    assert not control_keys(app) & {"evaluate_source", "evaluate_section"}
    return app.switch_page("pages/evaluate.py").run()


def control_keys(app) -> set[str]:
    return {str(element.key) for element in app.get("button_group")}


def upload(app, *files: tuple[str, bytes]):
    """Put files into the uploader one after another."""
    control(app, "evaluate_source").set_value("upload").run()
    for file in files:
        app.file_uploader[0].set_value([(*file, "text/csv")]).run()
    return app


def table_of(tmp_path, *labels: int) -> bytes:
    write_csv(tmp_path / "written.csv", [(label, "PublicTest") for label in labels])
    return (tmp_path / "written.csv").read_bytes()


def removal(app):
    return app.button(key="evaluate_remove")


def test_the_report_stays_with_its_section_and_settings(app, small_csv, monkeypatch):
    evaluate(app, small_csv)
    split = next(box for box in app.selectbox if str(box.key).startswith("evaluate_split"))
    split.set_value("PrivateTest").run()
    app.selectbox(key="evaluate_tta").set_value("flip").run()
    evaluate_part(app, "Calibration").slider[0].set_value(0.42).run()
    monkeypatch.setattr("fer.evaluation.evaluation.study", lambda *_: pytest.fail("it was evaluated again"))
    leave_and_return(app)
    assert not app.exception and not app.error and "on 28 faces" in words(app)
    assert control(app, "evaluate_section").value == "Calibration" and app.slider[0].value == 0.42
    assert app.text_input(key="evaluate_path").value == str(small_csv)
    assert [box.value for box in app.selectbox if str(box.key).startswith("evaluate_")] == ["PrivateTest", "flip"]


def test_the_chosen_cell_stays(app, small_csv):
    evaluate_part(evaluate(app, small_csv), "Confusion")
    (evaluation,) = app.session_state["evaluations"].values()
    truth, predicted = NAMES[evaluation.labels[0]], NAMES[evaluation.probabilities[0].argmax()]
    for key, name in (("cell_truth", truth), ("cell_predicted", predicted)):
        app.selectbox(key=key).set_value(name).run()
    assert f"labeled {truth}, predicted {predicted}" in words(app)
    assert f"labeled {truth}, predicted {predicted}" in words(leave_and_return(app))


def test_stress_and_the_table_of_groups_stay(app, small_csv):
    evaluate_part(evaluate(app, small_csv), "Groups")
    rows = b"".join(b"fer%07d.png,%c\n" % (row, b"ab"[row % 2]) for row in range(224, 252))
    app.file_uploader(key="slices_upload").set_value([("people.csv", b"file,source\n" + rows, "text/csv")]).run()
    groups = tables(app)[0]
    assert groups["group"] and "In use" not in words(app)  # the uploader itself shows it
    evaluate_part(leave_and_return(app), "Stress").button(key="stress_run_compact").click().run()
    evaluate_part(leave_and_return(app), "Groups")
    assert tables(app)[0] == groups and "In use: **people\\.csv**" in words(app)
    app.button(key="slices_remove").click().run()
    assert not tables(app) and not app.exception
    assert len(evaluate_part(app, "Stress").get("plotly_chart")) == 14


def test_uploads_are_listed_with_their_faces_and_can_be_removed(app, tmp_path):
    upload(app, ("three.csv", table_of(tmp_path, 0, 1, 2)), ("one.csv", table_of(tmp_path, 3)))
    assert "on 1 face" in words(app) and removal(app).label.endswith("Remove one\\.csv")
    leave_and_return(app)
    assert "on 1 face" in words(app)
    listed = control(app, "evaluate_uploads")
    assert [option.content for option in listed.proto.options] == ["three\\.csv · 3 faces", "one\\.csv · 1 face"]
    first = list(app.session_state["page_data"]["evaluate"].uploads)[0]
    listed.set_value(first).run()
    assert "on 3 faces" in words(app)
    removal(app).click().run()
    assert "on 1 face" in words(app) and first not in {key[0] for key in app.session_state["uploaded_datasets"]}
    assert all(choice.data != first for _, _, choice in app.session_state["evaluations"])
    removal(app).click().run()
    assert not app.exception and not app.error and "Published results" in words(app)


def test_a_bad_upload_stays_on_the_list_and_the_others_are_still_there(app, tmp_path):
    upload(app, ("good.csv", table_of(tmp_path, 0, 1)), ("bad.csv", b"hello"))
    assert not app.exception and "no column" in app.error[0].value
    removal(app).click().run()
    assert not app.error and "on 2 faces" in words(app)


def test_the_oldest_uploads_go_where_a_session_holds_no_more(app, tmp_path, monkeypatch):
    first, second = table_of(tmp_path, 0, 1), table_of(tmp_path, 2, 3)
    monkeypatch.setattr("fer.limits.OPEN", type(OPEN)(session_bytes=len(first) + len(second) - 1))
    upload(app, ("first.csv", first), ("second.csv", second))
    assert [one.file.name for one in app.session_state["page_data"]["evaluate"].uploads.values()] == ["second.csv"]
    assert not app.exception and "on 2 faces" in words(app)
    assert any("Removed to make room: first" in warning.value for warning in app.warning)
    assert len(app.session_state["uploaded_datasets"]) == 1  # what was computed from it is gone too
    removal(app).click().run()
    assert not app.exception and not any("Removed" in warning.value for warning in app.warning)


def test_streamlit_does_not_hold_a_data_set_that_was_taken_over_nor_a_table_that_was_replaced(
    app, tmp_path, small_csv, monkeypatch
):
    """What it holds counts towards a visitor's limit until the session ends, removed or not."""
    freed = []
    monkeypatch.setattr("fer.app.server.setup.let_go", lambda upload: freed.append(upload.name))
    upload(app, ("three.csv", table_of(tmp_path, 0, 1, 2)))
    assert freed == ["three.csv"] and "on 3 faces" in words(leave_and_return(app))
    evaluate_part(evaluate(app, small_csv), "Groups")
    rows = b"".join(b"fer%07d.png,%c\n" % (row, b"ab"[row % 2]) for row in range(224, 252))
    table = ("people.csv", b"file,source\n" + rows, "text/csv")
    app.file_uploader(key="slices_upload").set_value([table]).run()
    assert freed == ["three.csv"], "it is in use"
    leave_and_return(app).button(key="slices_remove").click().run()
    assert freed == ["three.csv", "people.csv"] and not app.exception and "In use" not in words(app)


def test_a_path_is_in_the_address_while_it_is_chosen(app, small_csv):
    evaluate(app, small_csv)
    assert app.query_params["data"] == str(small_csv)
    control(app, "evaluate_source").set_value("none").run()
    assert "data" not in app.query_params


@pytest.mark.parametrize("hosted", [False, True])
def test_the_address_reopens_a_path_where_paths_may_be_named(home, small_csv, monkeypatch, hosted):
    monkeypatch.setenv("FER_HOSTED", "1" if hosted else "")
    home.query_params["data"] = str(small_csv)
    home.query_params["embed"] = "true"
    home.switch_page("pages/evaluate.py").run()
    assert not home.exception and not home.error
    assert ("on 28 faces" in words(home)) is not hosted and home.query_params["embed"] == "true"


def test_a_form_keeps_its_values_after_a_failure(app, tmp_path):
    evaluate(app, tmp_path / "none.csv")
    assert "nothing at" in app.error[0].value
    leave_and_return(app)
    assert app.text_input(key="evaluate_path").value.endswith("none.csv") and "nothing at" in app.error[0].value


def test_trainings_upload_stays(home, tmp_path):
    home.switch_page("pages/training.py").run()
    control(home, "data_source").set_value("upload").run()
    home.file_uploader[0].set_value([("mine.csv", table_of(tmp_path, *range(7)), "text/csv")]).run()
    home.switch_page("pages/evaluate.py").run()
    home.switch_page("pages/training.py").run()
    assert not home.exception and home.button(key="data_remove").label.endswith("mine\\.csv")
    assert control(home, "data_source").value == "upload"

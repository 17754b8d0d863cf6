"""What is said of the data before a run, by AppTest."""

from __future__ import annotations

import numpy as np

from fer.app import resources
from fer.app.markdown import plain
from fer.errors import DatasetError
from fer.training import launcher
from tests.app.evaluate.test_inputs import class_boxes, numbered
from tests.app.helpers import made, words


def test_the_form_is_there_before_the_data_is_read(app, monkeypatch):
    from fer.app.training import data_report

    def unreadable(*given):
        raise DatasetError("Nothing to read.")

    monkeypatch.setattr(data_report, "look_at", unreadable)
    app.switch_page("pages/training.py").run()
    assert not app.exception and not app.button(key="start").disabled
    assert [error.value for error in app.error] == [plain("Nothing to read.")]


def test_an_imbalanced_folder_offers_its_remedy(app, tmp_path):
    import cv2

    for name, count in (("happy", 60), ("sad", 6)):
        (tmp_path / "data" / "train" / name).mkdir(parents=True)
        for number in range(count):
            picture = np.full((48, 48), number + 100 * (name == "sad"), np.uint8)
            cv2.imwrite(str(tmp_path / "data" / "train" / name / f"{number}.png"), picture)
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="data_source").set_value("path").run()
    app.text_input(key="data_path").set_value(str(tmp_path / "data")).run()
    assert not app.exception and "11 times as many happy as sad" in words(app)
    app.button(key="remedy_sampling").click().run()
    assert app.selectbox(key="setting_balance_Quick look_sampling").value == "sampling"
    assert "Balanced sampling is now set" in words(app)
    (tmp_path / "data" / "train" / "sad" / "torn.png").write_bytes(b"x")
    assert "torn" not in words(app.run())  # its files are looked at again after ten seconds
    resources.data_stamp.clear()
    assert "torn" in words(app.run())
    app.segmented_control(key="data_source").set_value("synthetic").run()
    assert app.selectbox(key="setting_balance_Quick look_none").value == "none"  # the remedy was for that data
    app.segmented_control(key="data_source").set_value("path").run()
    app.text_input(key="data_path").set_value("/no/such/place").run()
    assert "There is nothing at" in words(app)


def test_numbered_folders_are_told_by_a_form_and_the_run_keeps_it(app, tmp_path, monkeypatch):
    started, folder = [], numbered(tmp_path / "raf")
    monkeypatch.setattr(launcher, "start", lambda config: started.append(config) or made(tmp_path / "runs", "mine"))
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="data_source").set_value("path").run()
    app.text_input(key="data_path").set_value(str(folder)).run()
    assert not app.exception and "one of the seven classes" in app.error[0].value
    class_boxes(app)[1].set_value("fear")
    next(button for button in app.button if button.label == "Use these classes").click().run()
    assert not app.exception and not app.error and "2 pictures in 1 split" in words(app).replace("\\", "")
    assert "names match no class: 1 (2 pictures)" in words(app).replace("\\", "")
    app.button(key="start").click().run()
    assert [(config.data, config.classes) for config in started] == [(str(folder), "2=fear")]

"""The shared demo reads no server path, does its heavy work a piece at a time, and takes small tables only."""

from __future__ import annotations

import io
import threading
import zipfile
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer.app import resources, work_queue
from fer.app.evaluate import inputs
from fer.app.explain import state as explain_state
from fer.app.model_choice import ShippedModel
from fer.app.predict import photo_reading
from fer.app.predict.photo_reading import Photo
from fer.app.training.data_report import look_at
from fer.app.training.state import TrainingData
from fer.data import uploads
from fer.data.fer2013 import read_fer2013
from fer.data.read import SYNTHETIC, read_dataset
from fer.data.uploads import uploads_folder
from fer.errors import DatasetError
from fer.evaluation.evaluation import study
from fer.evaluation.groups import read_metadata
from fer.explanation.subject import Subject
from fer.limits import HOSTED, OPEN, limits
from fer.training import launcher
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from fer.training.worker import train
from tests.app.helpers import words
from tests.conftest import ROOT, write_csv

DIGEST = "0123456789abcdef01234567"


class Watched(work_queue.WorkQueue):
    """One place that notes each entry, and fails at once where a thread would wait for itself."""

    def __init__(self) -> None:
        super().__init__(1)
        self.entries: list[bool] = []  # whether each was urgent
        self.inside: set[int] = set()

    @contextmanager
    def entered(self, on_wait=lambda place: None, priority=0):
        me = threading.get_ident()
        assert me not in self.inside, "entered twice by one thread"
        with super().entered(on_wait, priority):
            self.inside.add(me)
            self.entries.append(priority > 0)
            try:
                yield
            finally:
                self.inside.remove(me)

    def must_be_mine(self) -> None:
        assert threading.get_ident() in self.inside, "heavy work outside the queue"


@pytest.fixture
def demo(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOSTED", "1")
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def heavy(monkeypatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr(work_queue, "_heavy", watched)
    return watched


@pytest.fixture
def reading(monkeypatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr(work_queue, "_photos", watched)
    return watched


@pytest.fixture
def app(demo, heavy, monkeypatch, offline):
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=180)
    app.session_state["chosen_model"] = ShippedModel("mini_xception")  # its slow maps take a second
    return app.run()


def watch(monkeypatch, heavy: Watched, owner, name: str) -> list:
    """The calls of a function, each of which must be made inside the queue."""
    calls, real = [], getattr(owner, name)

    def watched(*given, **named):
        heavy.must_be_mine()
        calls.append(given)
        return real(*given, **named)

    monkeypatch.setattr(owner, name, watched)
    return calls


def finished(app):
    """Explain once its slow part is done: the page runs itself again then."""
    for _ in range(3):
        if any("being measured" in text.value for text in app.markdown):
            app.run()
    return app


def test_explain_names_no_path_of_the_server(app, monkeypatch):
    app.switch_page("pages/explain.py").run()
    assert [tab.label for tab in app.tabs][:3] == ["Photo", "Camera", "Samples"]
    assert "Data set" not in [tab.label for tab in app.tabs]
    assert not [box for box in app.text_input if box.key == "explain_data"]


def test_neither_the_address_nor_a_forged_widget_leads_to_a_row(app, small_csv, monkeypatch):
    asked = []
    monkeypatch.setattr(resources, "dataset", asked.append)
    for key, value in (("explain_data", str(small_csv)), ("explain_row", 0)):
        app.session_state[key] = value
    for key, value in (("data", str(small_csv)), ("path", str(small_csv)), ("split", "Training"), ("row", "3")):
        app.query_params[key] = value
    app.switch_page("pages/explain.py").run()
    assert not app.exception and not asked and "row 3" not in words(app)


def test_outside_the_demo_a_row_can_be_explained(monkeypatch, offline, small_csv):
    monkeypatch.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=180)
    app.session_state["chosen_model"] = ShippedModel("mini_xception")
    app.run().switch_page("pages/explain.py").run()
    app.text_input(key="explain_data").set_value(str(small_csv))  # a form: it goes out with its button
    next(button for button in app.button if button.label == "Explain this row").click().run()
    assert not app.exception and app.session_state["explained_face"].photo.name == "PublicTest row 0.png"


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/",
        "/etc",
        "{uploads}",
        "{uploads}/",
        "{uploads}/..",
        "{uploads}/.unpacking-x",
        "{uploads}/abc",
        f"{{uploads}}/{DIGEST}/..",
        f"{{uploads}}/{DIGEST}/../../x",
        f"{{uploads}}{DIGEST}",
        "synthetic/../../etc",
        "a\0b",
        "x" * 5000,
    ],
)
def test_a_path_of_the_server_is_refused_on_the_demo(demo, path):
    with pytest.raises(DatasetError, match="does not read data by path"):
        resources.dataset(path.format(uploads=uploads_folder()))


def test_a_link_out_of_an_upload_is_refused(demo, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    (uploads_folder() / DIGEST).mkdir(parents=True)
    (uploads_folder() / DIGEST / "out").symlink_to(tmp_path)
    with pytest.raises(DatasetError, match="does not read data by path"):
        resources.dataset(str(uploads_folder() / DIGEST / "out"))


def test_drawn_faces_and_one_upload_are_read_on_the_demo(demo, small_csv, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    (uploads_folder() / DIGEST).mkdir(parents=True)
    file = uploads_folder() / DIGEST / "upload.csv"
    file.write_bytes(small_csv.read_bytes())
    assert len(resources.dataset(str(file))) == len(read_fer2013(small_csv, quiet=True))
    assert len(resources.dataset(SYNTHETIC)) > 0


@pytest.mark.parametrize("method", ["grad_cam", "occlusion", "integrated_gradients"])
def test_all_maps_of_explain_are_made_inside_and_once(app, heavy, monkeypatch, method):
    calls = watch(monkeypatch, heavy, Subject, "attribute")
    app.session_state["stop_explaining"] = True
    real = explain_state.selected
    monkeypatch.setattr(explain_state, "selected", lambda key, *given: method if key == "method" else real(key, *given))
    app.switch_page("pages/explain.py").run()
    assert not app.exception and not app.error
    made, entries = len(calls), len(heavy.entries)
    assert made == {"grad_cam": 6}.get(method, 7)  # five quick maps, the slow one, the contrast
    app.toggle(key="explain_each").set_value(True).run()
    assert not app.exception and (len(calls), len(heavy.entries)) == (made, entries)


def test_who_clicks_on_explain_waits_for_nobody(app, heavy):
    finished(app.switch_page("pages/explain.py").run())
    done, leave = threading.Event(), threading.Event()

    def evaluation() -> None:
        with heavy.entered():
            done.set()
            leave.wait(60)

    other = threading.Thread(target=evaluation)
    other.start()
    assert done.wait(10)
    try:
        app.toggle(key="explain_each").set_value(True).run(timeout=30)
        assert not app.exception and "Your place in the queue" not in words(app)
    finally:
        leave.set()
        other.join(10)


def test_the_measurements_of_explain_nest_nothing(app, heavy, monkeypatch):
    watch(monkeypatch, heavy, Subject, "attribute")
    app = finished(app.switch_page("pages/explain.py").run())
    assert not app.exception and not app.error and "**Deletion**: area" in words(app)


def test_a_photo_is_read_inside_and_once(app, reading, monkeypatch):
    calls = watch(monkeypatch, reading, photo_reading, "decode")
    app.switch_page("pages/predict.py").run()
    app.button(key="sample_grace-hopper").click().run()
    assert not app.exception and not app.error and len(calls) == 2
    entries = len(reading.entries)
    app.run()
    assert len(calls) == 2 and len(reading.entries) == entries
    app.button(key="explain_" + photo_key("grace-hopper")).click().run()
    assert not app.exception and not app.error and app.title[0].value == "Explain"


def photo_key(name: str) -> str:
    return Photo(f"{name}.jpg", resources.sample_bytes(name)).key


def test_the_strip_of_another_face_is_made_inside(reading, monkeypatch):
    photo = photo_reading.read_photo(Photo("a.jpg", resources.sample_bytes("astronaut")))
    calls = watch(monkeypatch, reading, photo_reading, "decode")
    photo.strips.clear()
    assert set(photo.strip(1)) == {"Found", "Aligned", "Gray", "Standardized"} and len(calls) == 1
    assert photo.strip(1) is photo.strips[1] and len(calls) == 1


def test_an_evaluation_takes_a_turn_for_each_batch_and_says_the_same(heavy, monkeypatch):
    recognizer, dataset = resources.recognizer(ShippedModel("mini_xception")), read_dataset(SYNTHETIC, quiet=True)
    choice = inputs.Choice(SYNTHETIC, "", SYNTHETIC, "PublicTest", "flip")
    found = inputs.evaluated(ShippedModel("mini_xception"), choice, dataset)
    faces = len(found.part)
    assert len(heavy.entries) == 1 + sum(2 * -(-min(512, faces - first) // 128) for first in range(0, faces, 512))
    assert not any(heavy.entries)
    assert np.array_equal(found.probabilities, study(recognizer, dataset, "PublicTest", "flip").probabilities)


def test_others_get_in_between_two_turns(heavy):
    order, queued = [], threading.Event()

    def visitor() -> None:
        with heavy.entered(lambda place: queued.set(), priority=1):
            order.append("visitor")

    with work_queue.in_turns() as next_turn:
        order.append("first piece")
        waiting = threading.Thread(target=visitor)
        waiting.start()
        assert queued.wait(10)
        next_turn()
        order.append("second piece")
    waiting.join(10)
    assert order == ["first piece", "visitor", "second piece"]
    with pytest.raises(ValueError), work_queue.in_turns() as next_turn:
        next_turn()
        raise ValueError
    assert not heavy.inside and heavy._inside == 0


def own_zip(sample, count: int) -> bytes:
    """A zip of so many copies of one photo, as bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(count):
            archive.writestr(f"{('happy', 'sad')[number % 2]}/{number}.jpg", sample.read_bytes())
    return data.getvalue()


def choose_upload(app):
    app.switch_page("pages/evaluate.py").run()
    next(group for group in app.get("button_group") if group.key == "evaluate_source").set_value("upload").run()
    return app.file_uploader(key="evaluate_upload")


def test_an_upload_is_read_in_turns(app, heavy, monkeypatch, sample):
    from fer.data import pictures

    faces = watch(monkeypatch, heavy, pictures, "read_face")
    uploader, before = choose_upload(app), len(heavy.entries)
    uploader.set_value([("own.zip", own_zip(sample, 41), "application/zip")]).run()
    assert not app.exception and not app.error and "on 41 faces" in words(app)
    evaluations = 1 + 1  # the place to begin with, and one batch
    assert len(faces) == 41 and len(heavy.entries) - before == 1 + 2 + evaluations


def choose_training_upload(app):
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="data_source").set_value("upload").run()
    return app.file_uploader(key="data_upload")


def test_training_data_is_read_in_turns_once_and_stored_by_start_alone(app, heavy, monkeypatch, sample, tmp_path):
    from fer.data import pictures

    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    faces = watch(monkeypatch, heavy, pictures, "read_face")
    uploader, before = choose_training_upload(app), len(heavy.entries)
    uploader.set_value([("own.zip", own_zip(sample, 41), "application/zip")]).run()
    assert not app.exception and not app.error and "41 pictures" in words(app)
    assert len(faces) == 41 and len(heavy.entries) - before == 1 + 2
    app.run()
    assert len(faces) == 41 and len(heavy.entries) - before == 1 + 2
    next(button for button in app.button if button.key == "data_remove").click().run()
    assert not app.exception and "41 pictures" not in words(app) and not uploads_folder().exists()
    assert not [key for key in app.session_state["data_reports"] if "uploads" in key[0]]


def test_a_run_that_is_refused_stores_no_upload(app, monkeypatch, small_csv, tmp_path):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(launcher, "launch", lambda run: None)
    choose_training_upload(app).set_value([("faces.csv", small_csv.read_bytes(), "text/csv")]).run()
    for most, stored in ((0, 0), (3, 1)):
        monkeypatch.setattr("fer.limits.HOSTED", replace(HOSTED, train_waiting=most))
        app.button(key="start").click().run()
        assert not app.exception and len(list(uploads_folder().glob("*/upload.csv"))) == stored


def test_an_uploaded_table_takes_turns(heavy, small_csv):
    upload, before = io.BytesIO(small_csv.read_bytes()), len(heavy.entries)
    upload.name = "faces.csv"
    assert len(inputs._read(upload, "")) == 280 and len(heavy.entries) - before == 1 + 1  # 280 rows are one piece


def test_an_uploaded_table_is_read_inside(app, heavy, monkeypatch, small_csv):
    calls = watch(monkeypatch, heavy, uploads, "read_upload")
    choose_upload(app).set_value([("faces.csv", small_csv.read_bytes(), "text/csv")]).run()
    assert not app.exception and not app.error and "28 faces" in words(app) and len(calls) == 1
    assert "never stored" in words(app)


def test_an_upload_of_who_has_left_is_read_no_further(heavy, monkeypatch, sample, tmp_path):
    from fer.data import pictures

    class Left(BaseException):
        """As Streamlit's own StopException."""

    def look() -> None:
        if len(faces) >= 20:
            raise Left

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(work_queue, "_stop_if_left", look)
    faces = watch(monkeypatch, heavy, pictures, "read_face")
    upload = io.BytesIO(own_zip(sample, 41))
    upload.name = "own.zip"
    with pytest.raises(Left):
        inputs._read(upload, "")
    assert len(faces) == 20 and not heavy.inside and heavy._inside == 0 and not list(tmp_path.iterdir())


def test_a_table_about_pictures_is_bounded_on_the_server():
    most = HOSTED.table_bytes
    table = b"file,a\n1,x\n" + (b"2," + b"y" * 97 + b"\n") * (most // 100 + 1)
    assert read_metadata(table, ["1"]).matched == 1 and OPEN.table_bytes == 20 * 2**20
    assert read_metadata(table[:most], ["1"], HOSTED).matched == 1
    with pytest.raises(DatasetError, match="the limit is 2 MB"):
        read_metadata(table, ["1"], HOSTED)


def test_a_csv_holds_no_more_pictures_than_a_folder_may(tmp_path):
    write_csv(tmp_path / "faces.csv", [(3, "Training")] * 30)
    for most in (30, 29):
        within = replace(HOSTED, dataset_pictures=most)
        with nullcontext() if most == 30 else pytest.raises(DatasetError, match="more than 29 pictures, the limit"):
            assert len(read_fer2013(tmp_path / "faces.csv", quiet=True, cached=False, limits=within)) == 30


def test_the_demos_limits_reach_every_reader(monkeypatch, tmp_path, small_csv):
    """The page's data by path and upload, the report before a run, and the run's own worker."""
    monkeypatch.setattr("fer.limits.HOSTED", replace(HOSTED, dataset_pictures=9))
    monkeypatch.setenv("FER_HOSTED", "1")
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    upload = io.BytesIO(small_csv.read_bytes())
    kept = str(uploads.keep(upload, "faces.csv", limits()))
    run = RunDirectory.create(tmp_path / "run", TrainConfig(data=kept, epochs=1))
    upload.name = "faces.csv"
    for read in (
        lambda: resources.dataset(kept),
        lambda: look_at(TrainingData(kept), "auto", ""),
        lambda: look_at(TrainingData(kept, "faces.csv", upload), "auto", ""),
        lambda: inputs._read(upload, ""),
        lambda: train(run, quiet=True),
    ):
        with pytest.raises(DatasetError, match="more than 9 pictures"):
            read()

"""What several tests of the app do: open, click, upload, read the words."""

from __future__ import annotations

import json

import numpy as np
from streamlit.proto.WidgetStates_pb2 import WidgetState

from fer.app.predict import photo_input
from fer.records import EpochRecord
from fer.training import watched_faces
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from fer.vision.video import VideoWriter
from tests.inference.test_video import portrait
from tests.waiting import wait_for


def words(app) -> str:
    """All text of a page that a visitor reads, without tables and charts."""
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.header)
    return "\n".join(element.value for kind in kinds for element in kind)


def control(app, key: str):
    """Pills or a segmented control."""
    return next(element for element in app.get("button_group") if element.key == key)


def tables(app) -> list[dict[str, list]]:
    """What fer.app.table shows, by column; a cell that is no text as it goes to the browser."""
    sent = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    return [
        dict(zip(data["columns"], map(list, zip(*data["rows"]))))
        for data in sent
        if "columns" in data and "rows" in data
    ]


def faces_shown(app) -> list[dict[str, object]]:
    """The rows of Predict's table of all faces; none where it is not there."""
    found = [table for table in tables(app) if "probabilities" in table]
    return [dict(zip(table, row)) for table in found for row in zip(*table.values())]


def photo_uploader(app):
    """Where photos go in on Home, Predict and Explain: its key has a number, for each upload leaves an empty one."""
    (found,) = (one for one in app.file_uploader if one.key.startswith(photo_input.UPLOADER))
    return found


def upload_here(app, *files: tuple[str, bytes]):
    """Upload photos on the page that is open."""
    photo_uploader(app).set_value([(name, data, "image/jpeg") for name, data in files]).run()
    return app


def upload_photos(app, *files: tuple[str, bytes]):
    return upload_here(app.switch_page("pages/predict.py").run(), *files)


def open_view(app, name: str):
    app.session_state["wanted_predict_view"] = name
    return app.switch_page("pages/predict.py").run()


def stream_of(app):
    return app.session_state["live_stream"]


def feed(app, frame: np.ndarray, count: int = 3) -> None:
    for _ in range(count):
        stream_of(app).analyzer(frame)


def make_video(tmp_path, frames: int = 12, wall: bool = False) -> bytes:
    with VideoWriter(tmp_path / "video.mp4", 320, 240, 10) as writer:
        for index in range(frames):
            writer.write(np.full((240, 320, 3), 90, np.uint8) if wall else portrait("astronaut.jpg"), index / 10)
    return (tmp_path / "video.mp4").read_bytes()


def upload_video(app, data: bytes, name: str = "video.mp4"):
    open_view(app, "video")
    (uploader,) = (one for one in app.file_uploader if one.key.startswith("video_upload"))
    uploader.set_value([(name, data, "video/mp4")]).run()
    return app


def await_video(app):
    """Run the page again once its video was read."""
    wait_for(lambda: app.session_state["video_job"].finished, 30)
    return app.run()


def record(epoch: int, accuracy: float, best: bool = True) -> EpochRecord:
    return EpochRecord(epoch, 1.0, 0.5, 1.1, accuracy, 0.6, (0.5,) * 7, ((1,) * 7,) * 7, 0.05, 2.0, 900.0, best)


def made(folder, name: str, state: str = "finished", **settings) -> RunDirectory:
    run = RunDirectory.create(folder / name, TrainConfig(**settings))
    run.append(record(1, 0.4))
    run.append(record(2, 0.7))
    watched_faces.start(run, np.zeros((16, 48, 48), np.uint8), np.arange(16) % 7, 0)
    for epoch in (1, 2):
        watched_faces.append(run, epoch, np.eye(7)[np.arange(16) % 7] * 5 * epoch)
    run.write_status(state, epoch=2, epochs=2)
    return run


def change(app, element: str, **value: str):
    """Run the page as if the browser had said this of an element that AppTest cannot click. element: its id."""
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=element, **value))
    return app._run(states)

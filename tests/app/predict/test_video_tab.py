"""Predict's videos by AppTest, made here."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import threading
from dataclasses import replace

import pytest

from fer.app.predict import state, video_job, video_tab, video_viewer
from fer.app.predict.video_annotations import Annotations, take
from fer.expressions import INDEX
from fer.inference import timeline
from fer.inference.recording import Event
from fer.limits import OPEN
from tests.app.helpers import await_video, make_video, open_view, upload_photos, upload_video, words
from tests.inference.test_timeline import row


def test_a_video_is_read_and_offered(app, tmp_path):
    upload_video(app, make_video(tmp_path), "<b>my</b> video.mp4")
    await_video(app)
    assert not app.exception and not app.error
    assert "12 frames" in words(app) and "no sound" in words(app) and "\\<b\\>my" in words(app)
    assert [one.value for one in app.header] == ["Probabilities over time"]
    assert len(app.get("download_button")) == 3
    job = app.session_state["video_job"]
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != job.model.name)
    ).run()
    assert app.session_state["video_job"] is job and "You have since chosen" in words(app)
    app.button(key="video_again").click().run()
    await_video(app)
    assert app.session_state["video_job"].model != job.model
    assert "You have since chosen" not in words(app)
    app.sidebar.selectbox(key="detector_widget").select("haar").run()
    app.button(key="video_again").click().run()
    await_video(app)
    assert app.session_state["video_job"].key[2] == "haar"


def test_a_video_in_progress_can_be_cancelled(app, tmp_path, monkeypatch):
    real, cancelled = video_job.read_video, threading.Event()
    monkeypatch.setattr(video_job, "read_video", lambda *given: cancelled.wait(30) and real(*given))
    upload_video(app, make_video(tmp_path, 60))
    assert app.button(key="video_cancel")
    app.button(key="video_cancel").click().run()
    cancelled.set()
    await_video(app)
    assert not app.exception and any("Canceled" in one.value for one in app.info)
    app.run()
    assert app.session_state["video_job"].finished  # it does not begin again by itself
    monkeypatch.setattr(video_job, "read_video", real)
    app.button(key="video_again").click().run()
    await_video(app)
    assert "60 frames" in words(app)


def test_a_video_stays_over_page_changes_and_can_be_read_again(app, tmp_path):
    upload_video(app, make_video(tmp_path))
    job = await_video(app).session_state["video_job"]
    app.switch_page("streamlit_app.py").run()
    open_view(app, "video")
    assert not app.exception and app.session_state["video_job"] is job and not app.button(key="remove_video").disabled
    app.sidebar.selectbox(key="detector_widget").select("haar").run()
    app.button(key="video_again").click().run()
    assert await_video(app).session_state["video_job"].key[2] == "haar"


def test_a_video_that_cannot_be_taken_is_told_above_the_tabs(app, monkeypatch):
    """In the photos' tab, which runs first, nobody would see it."""
    monkeypatch.setattr(video_tab.sample_video, "sample_video", lambda: 1 / 0)
    open_view(app, "video")
    app.button(key="take_sample_video").click().run()
    assert not app.exception and [one.value.startswith("Something went wrong") for one in app.error] == [True]
    assert not any(tab.error for tab in app.tabs) and len(app.tabs) == 4
    assert not app.run().error


def test_a_video_that_does_not_fit_beside_the_photos_is_read_but_not_kept(app, tmp_path, monkeypatch):
    data = make_video(tmp_path)
    monkeypatch.setattr(state, "limits", lambda: replace(OPEN, session_bytes=len(data) - 1))
    upload_video(app, data)
    await_video(app)
    assert not app.exception and app.session_state["video"] is None and "does not fit beside your photos" in words(app)
    assert len(app.get("download_button")) == 3  # what was read of it stays
    app.button(key="remove_video").click().run()
    assert app.session_state["video_job"] is None and "does not fit" not in words(app)


def test_photos_leave_room_for_the_video(app, tmp_path, monkeypatch, sample):
    data, photo = make_video(tmp_path), sample.read_bytes()
    monkeypatch.setattr(state, "limits", lambda: replace(OPEN, session_bytes=len(data) + len(photo) + 9))
    upload_video(app, data)
    await_video(app)
    app.session_state["wanted_predict_view"] = "photos"
    upload_photos(app, ("a.jpg", photo), ("b.jpg", photo))
    assert not app.exception and [one.name for one in app.session_state["photos"]] == ["a.jpg"]
    assert "Removed to make room" in app.warning[0].value and app.session_state["video"].data == data


def test_a_video_that_is_taken_out_is_forgotten(app, tmp_path):
    upload_video(app, make_video(tmp_path))
    await_video(app)
    app.button(key="remove_video").click().run()
    assert app.session_state["video_job"] is None and not app.get("download_button")
    assert app.session_state["video"] is None


@pytest.mark.parametrize(("data", "said"), [(b"", "empty"), (b"not a video" * 50, "not a video")])
def test_a_bad_video_is_a_sentence(app, data, said):
    upload_video(app, data)
    await_video(app)
    assert not app.exception and said in app.error[0].value


def test_a_video_without_faces_says_so(app, tmp_path):
    upload_video(app, make_video(tmp_path, wall=True))
    await_video(app)
    assert not app.exception and any("No face was found" in one.value.replace("\\", "") for one in app.info)


def test_an_unforeseen_failure_is_a_sentence(app, tmp_path, monkeypatch):
    monkeypatch.setattr(video_job, "read_video", lambda *given: 1 / 0)
    upload_video(app, make_video(tmp_path))
    await_video(app)
    assert "Something went wrong" in app.error[0].value and not app.exception


def test_the_sample_video_is_in_reach(app):
    open_view(app, "video")
    app.button(key="take_sample_video").click().run()
    await_video(app)
    assert not app.exception and "90 frames" in words(app)


def test_a_video_whose_file_is_gone_keeps_its_result(app, tmp_path):
    upload_video(app, make_video(tmp_path))
    await_video(app)
    job = app.session_state["video_job"]
    app.switch_page("pages/evaluate.py").run()
    app.sidebar.selectbox(key="model_widget").select(
        next(name for name in ("compact", "mini_xception") if name != job.model.name)
    ).run()
    app.session_state["video"] = None
    open_view(app, "video")
    assert not app.exception and app.session_state["video_job"] is job and len(app.get("download_button")) == 3
    assert "upload it again" in words(app) and not [one for one in app.button if one.key == "video_again"]


NOTED = {"edits": 2, "names": {"1": " Ada  *Lovelace* "}, "events": [{"timeS": 0.5, "name": "she\nlaughs"}]}


@pytest.fixture
def viewer(monkeypatch):
    """In the viewer's place: what it was given last, and its handler."""
    given = {}
    monkeypatch.setattr(video_viewer, "_component", lambda: lambda **options: given.update(options))
    return given


def note(viewer, monkeypatch, values: object) -> None:
    """What the viewer says after an edit."""
    monkeypatch.setattr(video_viewer, "said", lambda key: values)
    viewer["on_annotations_change"]()


def test_names_and_marks_are_in_the_exports_and_survive_other_pages(app, tmp_path, viewer, monkeypatch):
    await_video(upload_video(app, make_video(tmp_path)))
    data = viewer["data"]
    assert [one["label"] for one in data["people"]] == ["person 1"] and data["endS"] == pytest.approx(1.2, abs=0.1)
    assert data["people"][0]["spans"][-1][1] == data["endS"] and data["holdS"] == 0  # there until the last frame ends
    assert data["names"][data["people"][0]["spans"][0][2]] == "happy" and data["video"]["url"].endswith(".mp4")
    assert [moment["timeS"] for moment in data["video"]["moments"]] == [
        one.row.time_s for one in app.session_state["video_job"].result.moments
    ]
    note(viewer, monkeypatch, NOTED)
    app.switch_page("pages/evaluate.py").run()
    open_view(app, "video")
    kept = {"edits": 2, "names": {"1": "Ada *Lovelace*"}, "events": [{"timeS": 0.5, "name": "she laughs"}]}
    assert not app.exception and viewer["data"]["video"]["annotations"] == kept
    job = app.session_state["video_job"]
    noted = app.session_state["video_annotations"][(job.key[0], job.key[2])]
    told = json.loads(video_tab.as_json(job, job.result, noted))
    assert told["names"] == {"1": "Ada *Lovelace*"} and told["events"] == [{"time_s": 0.5, "name": "she laughs"}]
    assert {row["person"] for row in told["rows"]} == {1}
    lines = list(csv.DictReader(io.StringIO(video_tab.as_csv(job, job.result, noted))))
    assert {line["name"] for line in lines if line["person"] == "1"} == {"Ada *Lovelace*"}
    assert [line["time_s"] for line in lines if line["event"] == "she laughs"] == ["0.500"]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {**NOTED, "names": []},
        {**NOTED, "names": {"x": "Ada"}},
        {**NOTED, "names": {"1": 5}},
        {**NOTED, "events": [{"timeS": -1, "name": "a"}]},
        {**NOTED, "events": [{"timeS": float("nan"), "name": "a"}]},
        {**NOTED, "events": [{"timeS": 1}]},
        {**NOTED, "events": [{"timeS": 1, "name": "a"}] * 501},
        {**NOTED, "edits": "many"},
    ],
)
def test_what_is_no_annotation_is_refused_whole(bad):
    noted = Annotations({2: "Ada"}, [Event(1.0, "a")], 3)
    take(noted, bad)
    assert noted == Annotations({2: "Ada"}, [Event(1.0, "a")], 3)


def test_a_name_is_that_of_all_the_numbers_of_a_person():
    rows = [row(0.0, 1), row(2.0, 4), row(2.0, 2, x=500)]
    people = timeline.people(rows)
    noted = Annotations({1: "Ada"})
    assert [noted.name_of(person) for person in people] == ["Ada", "Person 2"]
    assert noted.names_by_number(people) == {1: "Ada", 4: "Ada"}


SHOWN = """
const { readFileSync } = await import("node:fs");
const script = readFileSync(process.argv[1], "utf8") + "; export { Viewer };";
const { Viewer } = await import("data:text/javascript," + encodeURIComponent(script));
const { data, times } = JSON.parse(readFileSync(0, "utf8"));
const shown = (timeS) => Viewer.prototype.shown.call({ data }, data.people[0], timeS) ?? null;
process.stdout.write(JSON.stringify(times.map(shown)));
"""


def shown(data: dict, times: list[float]) -> list[int | None]:
    """What the viewer's script says that the first person shows at these times; None where they are away."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("the viewer's script runs on Node.js, which is not at hand")
    command = [node, "--input-type=module", "-e", SHOWN, str(video_viewer.HERE / "viewer.js")]
    done = subprocess.run(
        command, input=json.dumps({"data": data, "times": times}), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_on_a_slideshow_a_person_is_there_until_the_next_slide(viewer, monkeypatch):
    monkeypatch.setattr(video_viewer, "served", lambda *given: "/media/video.mp4")
    rows = [row(0.0, 1), row(5.0, 1), row(15.0, 1, told="sad")]
    people = timeline.people(rows, readings_s=[0.0, 5.0, 10.0, 15.0, 20.023])
    video_viewer.show_video("viewer", b"mp4", people, 20.023, [], Annotations(), lambda: None)
    happy, sad = INDEX["happy"], INDEX["sad"]
    assert viewer["data"]["people"][0]["spans"] == [[0, 10, happy], [15, 20.02, sad]]
    found = shown(viewer["data"], [0, 4.9, 9.9, 10.2, 14.9, 15, 19, 20.023, 20.06])  # the last is under the sound's end
    assert found == [happy, happy, happy, None, None, sad, sad, sad, sad]


def test_in_a_recording_a_person_is_there_for_a_moment_after_the_last_reading(viewer):
    rows = [row(index / 10, 1) for index in range(11)]
    video_viewer.show_recording("recording", timeline.people(rows), 5.0)
    assert shown(viewer["data"], [0.05, 1.0, 1.1, 1.2, 3.0]) == [INDEX["happy"]] * 3 + [None, None]


def test_a_recording_travels_thinned_but_whole(viewer):
    rows = [row(index / 30, 1) for index in range(301)]  # ten seconds at 30 a second
    video_viewer.show_recording("recording", timeline.people(rows), 10.0)
    (person,) = viewer["data"]["people"]
    times = [time_s for time_s, _, _ in person["readings"]]
    assert times == pytest.approx([index / 5 for index in range(51)]) and viewer["data"]["video"] is None
    assert person["readings"][0][1:] == [3, [10, 10, 10, 40, 10, 10, 10]] and person["spans"] == [[0.0, 10.0, 3]]

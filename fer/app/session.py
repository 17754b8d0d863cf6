"""What a visitor's session remembers, each by a function with its type; widgets' own keys are their pages' matter."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from fer.limits import hosted, limits
from fer.models import DEFAULT_MODEL
from fer.models.weights import shipped_names
from fer.records import FaceBox

if TYPE_CHECKING:  # they load PyTorch, PyAV and more, or need this module
    from fer.app.evaluate.inputs import Choice
    from fer.app.explain.job import ExplainJob
    from fer.app.predict.photo_reading import Photo, Reading
    from fer.app.predict.video_job import VideoJob
    from fer.app.predict.webcam import Stream
    from fer.data.dataset import Dataset
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.robustness import StressPoint
    from fer.records import FaceRecord

Kind = TypeVar("Kind")
KEPT_RESULTS = 120  # more than photos.MAX_PHOTOS, else each click would read them all again
KEPT_STUDIES = 12


def _newest(key: str, count: int) -> OrderedDict[Any, Any]:
    """A store of this session that keeps what came or was moved to its end last."""
    kept: OrderedDict[Any, Any] = st.session_state.setdefault(key, OrderedDict())
    while len(kept) > count:
        kept.popitem(last=False)
    return kept


def model() -> str:
    """The chosen model, a name that resources.models() lists. Kept under a key that no widget owns."""
    chosen = st.session_state.get("chosen_model", "")
    if chosen in shipped_names() or (chosen and (Path(chosen) / "best.safetensors").is_file()):
        return chosen  # a run may have been deleted meanwhile
    return next((name for name in (DEFAULT_MODEL, *shipped_names()) if name in shipped_names()), "")


def choose_model(name: str) -> None:
    st.session_state["chosen_model"] = name


def detector() -> str:
    return st.session_state.get("chosen_detector", "auto")


def choose_detector(name: str) -> None:
    st.session_state["chosen_detector"] = name


def sample() -> str | None:
    """The sample photo in use, if one is."""
    return st.session_state.get("chosen_sample")


def choose_sample(name: str | None) -> None:
    st.session_state["chosen_sample"] = name
    explain_face(None)  # a new photo: Explain opens on it


def as_whole(photo: str) -> bool:
    """Whether the visitor asked to take this whole photo for one face."""
    return photo in st.session_state.get("whole_photos", set())


def take_whole(photo: str, whole: bool = True) -> None:
    photos = st.session_state.setdefault("whole_photos", set())
    photos.add(photo) if whole else photos.discard(photo)


def stop_reading(stop: bool = True) -> None:
    """Ask for the reading of many photos to end where it is."""
    st.session_state["stop_reading"] = stop


def stopped_reading() -> bool:
    return st.session_state.get("stop_reading", False)


def results() -> OrderedDict[tuple[str, ...], Reading]:
    """This session's read photos, in memory only; the oldest leave first, by their number and by their files' bytes."""
    kept: OrderedDict[tuple[str, ...], Reading] = _newest("photo_results", KEPT_RESULTS)
    held = sum(len(reading.photo.data) for reading in kept.values())
    while kept and held > limits().session_bytes:
        held -= len(kept.popitem(last=False)[1].photo.data)
    return kept


def training_view() -> str:
    """What the Training page shows: `run`, `new` or `compare`; empty until the visitor chose."""
    return st.session_state.get("training_view", "")


def show_training(view: str) -> None:
    st.session_state["training_view"] = view


def new_form() -> int:
    """The number of a form that is drawn, which starts one run and no second one."""
    st.session_state["drawn_form"] = number = st.session_state.get("drawn_form", 0) + 1
    return number


def form_is_taken(number: int) -> bool:
    """Whether a run was started from this form already."""
    return number <= st.session_state.get("taken_form", 0)


def take_form(number: int) -> None:
    st.session_state["taken_form"] = number


def own_run(run_id: str) -> None:
    """This visitor started (or renamed) that run."""
    st.session_state.setdefault("own_runs", set()).add(run_id)


def disown_run(run_id: str) -> None:
    """That name is free again, for another visitor's run."""
    st.session_state.setdefault("own_runs", set()).discard(run_id)


def may_change(run_id: str) -> bool:
    """Whether this visitor may pause, stop, rename or delete a run: on the shared demo only their own."""
    return not hosted() or run_id in st.session_state.get("own_runs", set())


def watched_epoch(run_id: str) -> int | None:
    """The epoch that the watch wall was set to; None follows the newest."""
    return st.session_state.get("watched_epochs", {}).get(run_id)


def watch_epoch(run_id: str, epoch: int | None) -> None:
    st.session_state.setdefault("watched_epochs", {})[run_id] = epoch


def widget(key: str, kind: type[Kind]) -> Kind | None:
    """What a keyed widget holds now, for its on_change; None where it holds nothing, or nothing of that kind."""
    value = st.session_state.get(key)
    return value if isinstance(value, kind) else None


def remedy(data: str) -> str:
    """The remedy for imbalance that was chosen for this data, for the form: none, sampling or weights."""
    return st.session_state.get("chosen_remedy", {}).get(data, "none")


def choose_remedy(name: str, data: str) -> None:
    st.session_state["chosen_remedy"] = {data: name}


def tell(message: str) -> None:
    """A sentence for the next drawing of the page, from a callback that could not do its work."""
    st.session_state["told"] = message


def told() -> str:
    return st.session_state.pop("told", "")


@dataclass(frozen=True)
class Explained:
    """The face that Explain shows: its photo, where the face is in it, the true class.

    box: None is the photo's largest face.
    """

    photo: Photo
    box: FaceBox | None = None
    truth: str | None = None


def explained() -> Explained | None:
    """The face that was handed to Explain, if one was."""
    return st.session_state.get("explained_face")


def explain_face(chosen: Explained | None) -> None:
    st.session_state["explained_face"] = chosen
    st.session_state.pop("picked_box", None)
    stop_explaining(False)


def picked_box(photo: str) -> FaceBox | None:
    """Where the face is that the visitor picked on Explain, in this photo: another detector numbers faces anew."""
    return st.session_state.get("picked_box", {}).get(photo)


def pick_box(photo: str, box: FaceBox) -> None:
    st.session_state["picked_box"] = {photo: box}


def studies() -> OrderedDict[tuple[tuple[str, ...], int], ExplainJob]:
    """What was computed for this session's faces, in memory only; the oldest leave first."""
    return _newest("face_studies", KEPT_STUDIES)


def stop_explaining(stop: bool = True) -> None:
    """Ask for the slow measurements of Explain to end where they are."""
    st.session_state["stop_explaining"] = stop


def stopped_explaining() -> bool:
    return st.session_state.get("stop_explaining", False)


def cell(key: str, choices: list[str], default: str) -> str:
    """The class, method or layer that the address names, if it is one of the choices."""
    named = st.query_params.get(key)
    return named if named is not None and named in choices else default


def choose_cell(**named: str) -> None:
    """Put class, method or layer into the address, which reopens them."""
    for key, value in named.items():
        st.query_params[key] = value


def newly_put_in(slot: str, file: str | None) -> bool:
    """Whether this file was put in there just now: an uploader gives it on every run. file: its id, None for none."""
    known = st.session_state.setdefault("put_in_files", {})
    new = file is not None and known.get(slot) != file
    known[slot] = file
    return new


KEPT_EVALUATIONS = 4
KEPT_UPLOADS = 2


def evaluations() -> OrderedDict[tuple[str, float, Choice], Evaluation]:
    """This session's evaluated models, by weights, data and settings; the oldest leave first."""
    return _newest("evaluations", KEPT_EVALUATIONS)


def stress_runs() -> dict[tuple[str, Choice], list[StressPoint]]:
    """The stress points measured in this session, by weights and data."""
    return st.session_state.setdefault("stress_runs", {})


def uploaded_datasets() -> OrderedDict[str, Dataset]:
    """This session's uploaded data sets, in memory only; the last two."""
    return _newest("uploaded_datasets", KEPT_UPLOADS)


PREDICT_TABS = "predict_tabs"
PREDICT_VIEWS = {"photos": "Photos", "camera": "Camera", "live": "Live", "video": "Video"}


def open_predict_view(name: str) -> None:
    """Open one of Predict's views with its next drawing; the tabs own their key while they are drawn."""
    st.session_state["wanted_predict_view"] = name


def settle_predict_view() -> None:
    """Before the tabs are drawn: the view that was asked for, by the app or by the address."""
    wanted = st.session_state.pop("wanted_predict_view", None)
    if PREDICT_TABS not in st.session_state:
        wanted = wanted or st.query_params.get("view")
    if wanted in PREDICT_VIEWS:
        st.session_state[PREDICT_TABS] = PREDICT_VIEWS[wanted]


def live() -> Stream | None:
    """This session's live stream, once it was started."""
    return st.session_state.get("live_stream")


def keep_live(stream: Stream | None) -> None:
    st.session_state["live_stream"] = stream


def end_live() -> None:
    """Stop this session's stream; what is being recorded is kept for the visitor."""
    stream = live()
    if stream is None or not stream.wanted:
        return
    if stream.analyzer.state().recording:
        keep_recording(stream.analyzer.stop_recording())
    stream.stop()


def live_trouble() -> str:
    """Why the last live stream did not start; empty where it did."""
    return st.session_state.get("live_trouble", "")


def tell_live_trouble(sentence: str) -> None:
    st.session_state["live_trouble"] = sentence


def recording() -> list[FaceRecord]:
    """The rows of the last recording that was stopped, until the next one."""
    return st.session_state.get("live_recording", [])


def keep_recording(rows: list[FaceRecord]) -> None:
    st.session_state["live_recording"] = rows


def ask_for_rerun() -> None:
    """From a fragment's callback: what changed stands outside the fragment."""
    st.session_state["rerun_asked"] = True


def rerun_asked() -> bool:
    return st.session_state.pop("rerun_asked", False)


def video_job() -> VideoJob | None:
    """The video that is being read or was read last in this session, in memory only."""
    return st.session_state.get("video_job")


def keep_video_job(job: VideoJob | None) -> None:
    st.session_state["video_job"] = job


def sample_video() -> bool:
    """Whether the sample video is in use."""
    return st.session_state.get("sample_video", False)


def choose_sample_video(chosen: bool = True) -> None:
    st.session_state["sample_video"] = chosen

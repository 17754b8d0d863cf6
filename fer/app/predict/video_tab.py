"""Predict's fourth view: a video, and the annotated video with its timeline, names and marks."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import errors, resources, session, widgets
from fer.app.markdown import plain
from fer.app.predict import sample_video, state, video_annotations, video_viewer
from fer.app.predict.state import Video
from fer.app.predict.video_annotations import Annotations
from fer.app.predict.video_job import VideoJob
from fer.app.predict.video_viewer import ShownMoment
from fer.app.server import setup
from fer.app.server.visitors import still_there
from fer.inference import recording
from fer.inference.recognizer import Recognizer
from fer.inference.timeline import Person
from fer.inference.video import READINGS_PER_S, SOUND, VideoResult
from fer.limits import MB, limits
from fer.vision.detection import Detector
from fer.vision.video import SUFFIXES, longest
from fer.visualization import timeline_figures
from fer.wording import count_of, file_size, percent

UPLOADER = "video_upload"  # prefix of its keys
VIEWER = "video_viewer"
MOST_PILLS = 8  # people; a list offers more
POLL_S = 0.4
GRACE_S = 60.0  # how long reading continues after the visitor's connection breaks


def show() -> None:
    """The view; a video is read as soon as it is added."""
    video, job = state.video(), state.video_job.get()
    name = video.name if video else job.name if job else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if name:
            with st.popover("Choose another video", icon=":material/movie:", key=f"another_video_{state.inputs.get()}"):
                _choose()
            st.button(
                plain(f"Remove {name}" + (f", {file_size(len(video.data))}" if video else "")),
                on_click=state.remove_video,
                icon=":material/close:",
                type="tertiary",
                key="remove_video",
            )
        else:
            _choose()
    if video is not None:
        _read(video)
        state.drop_large_video()
    job = state.video_job.get()
    if job is None:
        st.caption(
            "Get the video back with its faces marked, and a timeline of who showed which expression when. Name "
            "people, mark moments, and download everything. Videos are read in memory and never stored."
        )
        return
    if state.video() is None:
        st.caption(
            f"{plain(job.name)} does not fit beside your photos: the app holds {limits().session_bytes // MB} MB. Its "
            "results stay; to read it again, upload it again."
        )
    if not job.finished:
        st.fragment(errors.guarded_part(_progress), run_every=POLL_S)()
    else:
        _result(job, at_hand=state.video() is not None)


def _choose() -> None:
    """The uploader, which hands over the video and becomes empty, and the sample."""
    key, most_mb = f"{UPLOADER}_{state.inputs.get()}", limits().video_bytes // MB
    st.file_uploader(
        f"Choose a video, up to {longest(limits())} and {most_mb} MB",
        help="MP4, MOV, WebM, MKV or AVI.",
        type=list(SUFFIXES),
        key=key,
        max_upload_size=most_mb,
        on_change=errors.guarded_callback(_take_upload),
        args=(key,),
    )
    st.button(
        "Try the sample video",
        on_click=errors.guarded_callback(_take_sample),
        icon=":material/movie:",
        key="take_sample_video",
    )


def _take_upload(key: str) -> None:
    if upload := session.widget(key, UploadedFile):
        state.set_video(Video(upload.name, upload.getvalue()))
        setup.let_go(upload)


def _take_sample() -> None:
    state.set_video(Video("sample.mp4", sample_video.sample_video()))


def _read(video: Video) -> None:
    """Start reading, unless this video was read already; another model reads it only on request."""
    job = state.video_job.get()
    if job is not None and job.key[0] == video.digest:
        return
    recognizer, detector, readers = _readers()
    job = VideoJob((video.digest, *readers), video.name, session.model())
    state.video_job.set(job)
    job.start(video.data, recognizer, detector, READINGS_PER_S, still_there(GRACE_S))


def _readers() -> tuple[Recognizer, Detector, tuple[str, str]]:
    """The current model and detector, and a key for them."""
    recognizer, detector = resources.recognizer(session.model()), resources.detector(session.detector.get())
    return recognizer, detector, (recognizer.card.sha256, detector.name)


def _progress() -> None:
    job = state.video_job.get()
    if job is None or job.finished:
        st.rerun(scope="app")
    if job.place:
        st.progress(0.0, f"Waiting for other videos. You are number {job.place} in the queue.")
    else:
        left = job.progress.left_s
        words = f", about {left:.0f} s left" if left is not None else ""
        st.progress(job.progress.done, f"{count_of(job.progress.frames, 'frame')} read{words}")
    st.button("Cancel", on_click=job.cancel, icon=":material/stop_circle:", key="video_cancel")


def _result(job: VideoJob, at_hand: bool) -> None:
    """The results. at_hand: whether the video itself is still available."""
    video = job.result
    if job.error:
        errors.show_error(job.error, ":material/movie:")
    elif video is None:
        st.info("Canceled before the first frame.", icon=":material/info:")
    else:
        st.markdown(
            f"**{plain(job.name)}** · faces read in {video.read:,} of {count_of(video.frames, 'frame')} · "
            f"{SOUND[video.sound]} · {plain(job.model.label)}"
        )
    recognizer, detector, readers = _readers()
    other = job.key[1:] != readers
    if other:
        newer = "newer weights of " if job.model == session.model() and job.key[1] != recognizer.card.sha256 else ""
        st.caption(
            f"These results are from {plain(job.model.label)} with the {job.key[2]} detector. You have since chosen "
            f"{newer}{plain(session.model().label)} with {detector.name}."
        )
    if (job.unread or other) and at_hand:
        st.button(
            "Read again", key="video_again", on_click=state.video_job.set, args=(None,), icon=":material/refresh:"
        )
    if video is None:
        return
    if video.cancelled:
        st.info("Canceled. These are the results up to that point.", icon=":material/info:")
    for note in video.notes:
        st.info(plain(note), icon=":material/info:")
    noted = video_annotations.of_video((job.key[0], job.key[2]))
    # A fragment, so that a name or a mark redraws nothing else.
    st.fragment(errors.guarded_part(lambda: _watch(job, video, noted)))()
    _downloads(job, video, noted)


def _watch(job: VideoJob, video: VideoResult, noted: Annotations) -> None:
    """The viewer, and one person's probabilities."""
    moments = [
        ShownMoment(picture, f"{face.answer} {percent(face.confidence)}, {moment.row.time_s:.1f} s", moment.row.time_s)
        for moment, picture in zip(video.moments, job.moment_pictures, strict=True)
        for face in [moment.row.prediction]
    ]
    video_viewer.show_video(
        VIEWER,
        job.annotated,
        job.people,
        video.end_s,
        moments,
        noted,
        lambda: video_annotations.take(noted, video_viewer.said(VIEWER)),
    )
    if job.people:
        _probabilities(job.people, noted, video.end_s)


def _probabilities(people: list[Person], noted: Annotations, end_s: float) -> None:
    """The chosen person's lines."""
    by_number = {person.number: person for person in people}
    names = {number: noted.name_of(person) for number, person in by_number.items()}
    st.header("Probabilities over time")
    chosen = people[0].number
    if len(people) > 1:
        options, key = list(by_number), f"video_person_{list(by_number)}"
        if len(people) <= MOST_PILLS:
            found = st.pills(
                "Person",
                options,
                default=chosen,
                required=True,
                format_func=lambda number: plain(names[number]),
                wrap=True,
                key=key,
            )
        else:
            found = st.selectbox("Person", options, format_func=names.__getitem__, key=key)
        chosen = chosen if found is None else found
    widgets.chart(
        timeline_figures.probability_lines(by_number[chosen], 0, end_s),
        key="video_lines",
        alt=f"The seven probabilities of {names[chosen]} over time",
    )


def _downloads(job: VideoJob, video: VideoResult, noted: Annotations) -> None:
    """Tables are made on request, with the notes at that time."""
    with st.container(horizontal=True):
        widgets.download("annotated video", job.annotated, "expressions.mp4", "video/mp4", "video_video")
        widgets.download("CSV", lambda: as_csv(job, video, noted), "video.csv", "text/csv", "video_csv")
        widgets.download("JSON", lambda: as_json(job, video, noted), "video.json", "application/json", "video_json")


def as_csv(job: VideoJob, video: VideoResult, noted: Annotations) -> str:
    rows = [replace(row, input=job.name) for row in video.rows]
    return recording.to_csv(rows, noted.names_by_number(job.people), noted.events)


def as_json(job: VideoJob, video: VideoResult, noted: Annotations) -> str:
    """`names` by the numbers in the rows and the picture, and `events`."""
    return recording.to_json(
        video.rows,
        video=job.name,
        model=job.model.name,
        notes=list(video.notes),
        names=noted.names_by_number(job.people),
        events=[event.to_json() for event in noted.events],
    )

"""Predict's fourth view: a video in; the annotated video with its timeline, names and marks out."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import streamlit as st

from fer.app import errors, resources, session
from fer.app.markdown import plain
from fer.app.predict import sample_video, state, video_annotations, video_viewer
from fer.app.predict.video_annotations import Annotations
from fer.app.predict.video_job import VideoJob
from fer.app.predict.video_viewer import ShownMoment
from fer.app.server.visitors import still_there
from fer.inference import recording
from fer.inference.recognizer import Recognizer
from fer.inference.timeline import Person
from fer.inference.video import READINGS_PER_S, SOUND, VideoResult
from fer.limits import limits
from fer.vision.detection import Detector
from fer.vision.video import SUFFIXES, longest
from fer.visualization import figures, timeline_figures
from fer.wording import count_of, percent

VIEWER = "video_viewer"
MOST_PILLS = 8  # people; more are chosen from a list
POLL_S = 0.4
GRACE_S = 60.0  # a video is read on for that long after its visitor's connection broke


def show() -> None:
    """The uploader; a video is read as soon as it is there."""
    most_mb = limits().video_bytes // 2**20
    upload = st.file_uploader(
        f"A video: MP4, MOV, WebM, MKV or AVI, up to {most_mb} MB and {longest(limits())}",
        type=list(SUFFIXES),
        key="video_upload",
        max_upload_size=most_mb,
        on_change=_another_video,
    )
    st.button(
        "Try the sample video",
        on_click=state.sample_video.set,
        args=(True,),
        icon=":material/movie:",
        key="take_sample_video",
    )
    if upload is not None and not state.sample_video.get():
        _read(upload.name, upload.getvalue())
    elif state.sample_video.get():
        _read("sample.mp4", sample_video.sample_video())
    job = state.video_job.get()
    if job is None:
        st.caption(
            "You get the video back with its faces marked and a timeline of who showed what when. Name people, mark "
            "moments, and download all of it. Videos are read in memory and never stored."
        )
        return
    if not job.finished:
        st.fragment(errors.guarded_part(_progress), run_every=POLL_S)()
    else:
        _result(job, at_hand=upload is not None or state.sample_video.get())


def _another_video() -> None:
    """Another video, or none, was uploaded: what was read of the last one goes."""
    state.sample_video.set(False)
    if (job := state.video_job.get()) is not None:
        job.cancel()
    state.video_job.set(None)


def _read(name: str, data: bytes) -> None:
    """Start reading, unless this very video has been read already; another model reads it only when asked."""
    digest = hashlib.blake2b(data, digest_size=12).hexdigest()
    job = state.video_job.get()
    if job is not None and job.key[0] == digest:
        return
    if job is not None:
        job.cancel()
    _start(name, data, digest)


def _start(name: str, data: bytes, digest: str) -> None:
    recognizer, detector, readers = _readers()
    job = VideoJob((digest, *readers), name, session.model())
    state.video_job.set(job)
    job.start(data, recognizer, detector, READINGS_PER_S, still_there(GRACE_S))


def _readers() -> tuple[Recognizer, Detector, tuple[str, str]]:
    """The model and the detector in use, and what tells them apart from others."""
    recognizer, detector = resources.recognizer(session.model()), resources.detector(session.detector.get())
    return recognizer, detector, (recognizer.card.sha256, detector.name)


def _progress() -> None:
    job = state.video_job.get()
    if job is None or job.finished:
        st.rerun(scope="app")
    if job.place:
        st.progress(0.0, f"Waiting for other videos: you are number {job.place} in the queue.")
    else:
        left = job.progress.left_s
        words = f", about {left:.0f} s left" if left is not None else ""
        st.progress(job.progress.done, f"{count_of(job.progress.frames, 'frame')} read{words}")
    st.button("Cancel", on_click=job.cancel, icon=":material/stop_circle:", key="video_cancel")


def _result(job: VideoJob, at_hand: bool) -> None:
    """What was read. at_hand: whether the video itself is still there; after another page the uploader is empty."""
    video = job.result
    if job.error:
        errors.show_error(job.error, ":material/movie:")
    elif video is None:
        st.info("Canceled before the first frame.", icon=":material/info:")
    else:
        st.markdown(
            f"**{plain(job.name)}** · {count_of(video.frames, 'frame')}, faces read {count_of(video.read, 'time')} · "
            f"{SOUND[video.sound]} · {plain(job.model.label)}"
        )
    recognizer, detector, readers = _readers()
    other = job.key[1:] != readers
    if other:
        newer = "newer weights of " if job.model == session.model() and job.key[1] != recognizer.card.sha256 else ""
        st.caption(
            f"Read by {plain(job.model.label)} with the detector {job.key[2]}. Your choice now is "
            f"{newer}{plain(session.model().label)} with {detector.name}."
        )
    if (job.unread or other) and not at_hand:
        st.caption("To read it again, upload the video again.")
    elif job.unread or other:
        st.button(
            "Read it again", key="video_again", on_click=state.video_job.set, args=(None,), icon=":material/refresh:"
        )
    if video is None:
        return
    if video.cancelled:
        st.info("Canceled: this is the part that was read.", icon=":material/info:")
    for note in video.notes:
        st.info(plain(note), icon=":material/info:")
    noted = video_annotations.of_video((job.key[0], job.key[2]))
    # A fragment: a name or a mark redraws nothing else.
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
        _end_s(video),
        moments,
        noted,
        lambda: video_annotations.take(noted, video_viewer.said(VIEWER)),
    )
    if job.people:
        _probabilities(job.people, noted, _end_s(video))


def _end_s(video: VideoResult) -> float:
    return max(video.info.seconds, video.rows[-1].time_s if video.rows else 0.0)


def _probabilities(people: list[Person], noted: Annotations, end_s: float) -> None:
    """One person's lines, of the one who is chosen."""
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
    st.plotly_chart(
        timeline_figures.probability_lines(by_number[chosen].rows, 0, end_s),
        width="stretch",
        config=figures.CONFIG,
        key="video_lines",
        alt=f"The seven probabilities of {names[chosen]} over time",
    )


def _downloads(job: VideoJob, video: VideoResult, noted: Annotations) -> None:
    """Tables are made when they are asked for, with what is noted by then."""
    with st.container(horizontal=True):
        st.download_button(
            "Annotated video",
            job.annotated,
            "expressions.mp4",
            "video/mp4",
            on_click="ignore",
            icon=":material/download:",
            key="video_video",
        )
        st.download_button(
            "CSV",
            lambda: as_csv(job, video, noted),
            "video.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            key="video_csv",
        )
        st.download_button(
            "JSON",
            lambda: as_json(job, video, noted),
            "video.json",
            "application/json",
            on_click="ignore",
            icon=":material/download:",
            key="video_json",
        )


def as_csv(job: VideoJob, video: VideoResult, noted: Annotations) -> str:
    rows = [replace(row, input=job.name) for row in video.rows]
    return recording.to_csv(rows, noted.names_by_number(job.people), noted.events)


def as_json(job: VideoJob, video: VideoResult, noted: Annotations) -> str:
    """`names` by the numbers that the rows and the picture show, and `events`."""
    return recording.to_json(
        video.rows,
        video=job.name,
        model=job.model.name,
        notes=list(video.notes),
        names=noted.names_by_number(job.people),
        events=[event.to_json() for event in noted.events],
    )

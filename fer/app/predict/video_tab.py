"""Predict's fourth view: a video in; the annotated video, each person's timeline and the strongest moments out."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import streamlit as st

from fer.app import errors, resources, session
from fer.app.markdown import plain
from fer.app.predict import sample_video, state
from fer.app.predict.video_job import MOMENT_WIDTH, VideoJob
from fer.app.server.visitors import still_there
from fer.inference import recording
from fer.inference.recognizer import Recognizer
from fer.inference.video import READINGS_PER_S, SOUND, VideoResult
from fer.limits import limits
from fer.records import faces_csv
from fer.vision.detection import Detector
from fer.vision.video import SUFFIXES, longest
from fer.visualization import figures, timeline_figures

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
        "Or take the sample video",
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
            "You get the video back with its faces marked, who showed what when, and the strongest moments. It "
            "is read in memory and never stored."
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
        st.progress(0.0, f"Other videos are being read just now: your place is {job.place}. It goes on by itself.")
    else:
        left = job.progress.left_s
        words = f", about {left:.0f} s left" if left is not None else ""
        st.progress(job.progress.done, f"{job.progress.frames} frames read{words}")
    st.button("Cancel", on_click=job.cancel, icon=":material/stop_circle:", key="video_cancel")


def _result(job: VideoJob, at_hand: bool) -> None:
    """What was read. at_hand: whether the video itself is still there; after another page the uploader is empty."""
    video = job.result
    if job.error:
        errors.show_error(job.error, ":material/movie:")
    elif video is None:
        st.info("Cancelled before the first frame.", icon=":material/info:")
    else:
        st.markdown(
            f"**{plain(job.name)}** · {video.frames} frames, faces read {video.read} times · {SOUND[video.sound]} · "
            f"{plain(job.model.label)}"
        )
    recognizer, detector, readers = _readers()
    other = job.key[1:] != readers
    if other:
        newer = "newer weights of " if job.model == session.model() and job.key[1] != recognizer.card.sha256 else ""
        st.caption(
            f"Read by {plain(job.model.label)} with the detector {job.key[2]}. Now it would "
            f"be read by {newer}{plain(session.model().label)} with {detector.name}."
        )
    if (job.unread or other) and not at_hand:
        st.caption("To read it again, put the video in once more.")
    elif job.unread or other:
        st.button(
            "Read it again", key="video_again", on_click=state.video_job.set, args=(None,), icon=":material/refresh:"
        )
    if video is None:
        return
    if video.cancelled:
        st.info("Cancelled: this is the part that was read.", icon=":material/info:")
    for note in video.notes:
        st.info(plain(note), icon=":material/info:")
    st.video(job.annotated, format="video/mp4", alt=f"The video {job.name} with its faces marked", width=720)
    if video.rows:
        _timelines(video)
        _moments(job, video)
    _downloads(job, video)


def _timelines(video: VideoResult) -> None:
    rows, end_s = video.rows, max(video.rows[-1].time_s, 0.1)
    shown = timeline_figures.people(rows)
    st.header("Who showed what when")
    st.plotly_chart(
        timeline_figures.expression_bands(rows, 0, end_s),
        width="stretch",
        config=figures.CONFIG,
        key="video_bands",
        alt="A band a person, colored by expression over time",
    )
    person = shown[0]
    if len(shown) > 1:
        person = st.pills("Person", shown, default=shown[0], required=True, key=f"video_person_{shown}") or shown[0]
    st.plotly_chart(
        timeline_figures.probability_lines([row for row in rows if row.person == person], 0, end_s),
        width="stretch",
        config=figures.CONFIG,
        key="video_lines",
        alt=f"The seven probabilities of person {person} over time",
    )


def _moments(job: VideoJob, video: VideoResult) -> None:
    if not video.moments:
        return
    st.header("Strongest moments")
    with st.container(horizontal=True):
        for moment, picture in zip(video.moments, job.moment_pictures, strict=True):
            face = moment.row.prediction
            caption = f"{face.answer} {100 * face.confidence:.0f}%, {moment.row.time_s:.1f} s"
            st.image(picture, caption=caption, width=MOMENT_WIDTH, alt=f"The frame: {caption}")


def _downloads(job: VideoJob, video: VideoResult) -> None:
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
            lambda: faces_csv(replace(row, input=job.name) for row in video.rows),
            "video.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            key="video_csv",
        )
        facts = {"video": job.name, "model": job.model.name, "notes": list(video.notes)}
        st.download_button(
            "JSON",
            lambda: recording.to_json(video.rows, **facts),
            "video.json",
            "application/json",
            on_click="ignore",
            icon=":material/download:",
            key="video_json",
        )

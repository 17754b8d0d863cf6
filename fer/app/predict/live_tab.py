"""Predict's third view: a live camera, each person's expression now and over the last minute, and a recorder."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, resources, session, widgets
from fer.app.predict import state, video_viewer, webcam
from fer.app.predict.browser import component
from fer.app.predict.browser import state as browser_state
from fer.app.predict.browser.constants import NO_FRAMES, SHOWN_PEOPLE
from fer.app.predict.live_drawer import LazyDrawer
from fer.app.predict.webcam import Stream
from fer.app.server.memory import collect
from fer.errors import FerError
from fer.failure_log import log_failure
from fer.inference import recording, timeline
from fer.inference.live import HISTORY_S, PERSONS_KEPT_S, LiveAnalyzer, LiveSettings, LiveState
from fer.inference.tracked_reader import FULL_SIDE, LIVE_SIDE
from fer.limits import hosted, limits
from fer.records import FaceRecord, faces_csv, set_words
from fer.visualization import timeline_figures
from fer.visualization.overlay import label_of
from fer.wording import count_of, percent

POLL_S = 0.5
TIMELINE_POLL_S = 2.0  # its chart costs more than the rest of the panel, and a minute moves slowly
MOST_ROWS, TIMELINE_HEIGHT = 8, 420  # a timeline with more people scrolls, at this height in pixels
PARTS = {"boxes": "Boxes", "labels": "Labels", "landmarks": "Landmarks", "heat": "Evidence (Grad-CAM)"}
PLACE_KEY = "live_place_widget"
PLACES: dict[browser_state.Place, str] = {"browser": "In this browser", "server": "On the server"}
UNFIT = {
    "wasm": "This browser cannot run the models: it does not support WebAssembly with SIMD.",
    "worker": "This browser cannot run the models: it does not support OffscreenCanvas.",
    "files": "The models could not be loaded into this browser: a download failed, or memory ran out.",
}


def show(is_open: bool) -> None:
    """A live camera with its panel, read in the browser or on the server."""
    choice = st.container()  # always created: elements below must keep their positions, or the page rebuilds them
    with choice:
        place = _choose_place() if is_open else "browser" if browser_state.is_recording() else "server"
    if place == "browser":  # also after leaving the tab while recording, since the browser sends the rest
        state.end_live()
        state.live.set(None)
        _in_browser(is_open)
    else:
        state.end_browser_recording()
        _on_server(is_open)
    if is_open:
        _recording_result()


def _choose_place() -> browser_state.Place:
    """Where faces are read: by default in the browser on a shared demo, else on the server."""
    if why := component.why_not():
        st.caption(f"The server reads live faces. Your browser cannot: {why}.")
        return "server"
    chosen = browser_state.place("browser" if hosted() else "server")
    if session.widget(PLACE_KEY, str) != chosen:
        session.set_widget(PLACE_KEY, chosen)
    st.segmented_control(
        "Read faces",
        list(PLACES),
        format_func=PLACES.__getitem__,
        required=True,
        on_change=_change_place,
        key=PLACE_KEY,
        help="In this browser: no frame leaves your device and no TURN server is needed; YuNet finds the faces. On the "
        "server: frames travel there over WebRTC; any detector and the evidence overlay work.",
    )
    if trouble := browser_state.unfit.get():
        st.warning(
            f"{UNFIT[trouble]} The server can read them instead; camera frames are then sent there.",
            icon=":material/memory:",
        )
    return chosen


def _change_place() -> None:
    browser_state.choose_place(session.widget(PLACE_KEY, str) or "server")


def _in_browser(is_open: bool) -> None:
    st.fragment(errors.guarded_part(lambda: _component(is_open)))()
    if is_open:
        _choices(None)


def _component(is_open: bool) -> None:
    """A fragment, since the numbers that come every few seconds should redraw nothing else."""
    if session.page_rerun.take():
        st.rerun(scope="app")
    try:
        chosen = session.model()
        given, card = component.model(chosen.spec, chosen.label)
        browser_state.model.set(given)
        browser_state.cards.get()[str(given["id"])] = (chosen.name, card)
    except FerError as error:  # a running camera continues with the previous model
        errors.show_error(error.message)
    if model := browser_state.model.get():
        component.place(
            model,
            _settings(),
            is_open,
            on_rows_change=_take_rows,
            on_unfit_change=_give_up_browser,
            on_upload_change=_open_photos,
        )


def _take_rows() -> None:
    found = browser_state.take(component.said("rows"))
    if found is not None and found.done:
        state.recording.set(found.rows)
        session.page_rerun.set(True)  # the summary is outside this fragment


def _give_up_browser() -> None:
    """Fall back to WebRTC. Never starts by itself, since it sends frames to the server."""
    why = component.said("unfit")
    if why in UNFIT:
        browser_state.give_up(str(why))
        session.page_rerun.set(True)


def _open_photos() -> None:
    state.open_view("photos")
    session.page_rerun.set(True)


def _on_server(is_open: bool) -> None:
    """The stream with its panel. The component is drawn while there is a stream, even if the tab is closed."""
    stream = state.live.get()
    if stream is None and not is_open:
        return
    if stream is None:
        drawer = LazyDrawer()
        stream = Stream(
            LiveAnalyzer(
                resources.recognizer(session.model()),
                resources.detector(session.detector.get()),
                drawer,
                limits=limits(),
            ),
            drawer,
        )
        state.live.set(stream)
    if not is_open:
        state.end_live()
    _buttons(stream)
    try:
        _apply(stream)
    except FerError as error:  # the stream continues unchanged
        errors.show_error(error.message)
    left, right = st.columns([3, 2], gap="large")
    with left:
        if not stream.wanted:
            _invitation()
        _place(stream)
        loading = st.empty()
        _choices(stream)
    with right:
        if is_open:
            st.fragment(errors.guarded_part(_panel), run_every=POLL_S if stream.wanted else None)()
            st.fragment(errors.guarded_part(_timeline), run_every=TIMELINE_POLL_S if stream.wanted else None)()
    if "heat" in stream.analyzer.settings.drawn and not stream.drawer.has_heat:  # last: the page is complete by now
        with loading, st.spinner("Loading PyTorch for the evidence overlay"):
            stream.drawer.load_heat(resources.recognizer(session.model()))
            collect(now=True)  # or each poll would garbage-collect all of PyTorch for up to a minute


def _place(stream: Stream) -> None:
    """The stream's component; if it fails, the page says so and opens the snapshot."""
    try:
        webcam.place(stream)
    except Exception as error:  # from streamlit-webrtc or aiortc: a rejected offer or address, or a timeout
        log_failure("The live stream failed", error)
        if not stream.wanted:
            return
        state.live_error.set(webcam.why_not(stream))
        state.end_live()
        state.open_view("camera")
        st.rerun()


def _buttons(stream: Stream) -> None:
    if stream.wanted:
        st.button("Stop the camera", on_click=state.end_live, icon=":material/stop_circle:", key="live_stop")
    else:
        st.button(widgets.main_label("Start the camera"), on_click=_start, icon=":material/videocam:", key="live_start")


def _start() -> None:
    stream = state.live.get()
    if stream is None or stream.wanted:  # a double click
        return
    state.live_error.set("")
    if not webcam.secure():
        state.live_error.set(webcam.why_not(stream))
        state.open_view("camera")
        return
    if webcam.busy():
        state.live_error.set(
            "All live streams on this server are in use. Try again in a few minutes, or take a snapshot."
        )
        state.open_view("camera")
        return
    stream.start()


def _invitation() -> None:
    st.markdown(
        "Allow the camera when your browser asks, and watch each face get its expression as it moves. Frames go to "
        "this server, which reads them in memory and discards them. Nothing is kept unless you record."
    )


def _apply(stream: Stream) -> None:
    """Set options, model and detector for the next frame; the stream continues."""
    stream.analyzer.use(resources.recognizer(session.model()), resources.detector(session.detector.get()), _settings())


def _settings() -> LiveSettings:
    parts = session.widget("live_parts", list)
    chosen = frozenset(parts if parts is not None else ("boxes", "labels"))
    smoothing = session.widget("live_smoothing", float)
    mirror, fine = session.widget("live_mirror", bool), session.widget("live_fine", bool)
    return LiveSettings(
        0.4 if smoothing is None else smoothing,
        True if mirror is None else mirror,
        chosen,
        FULL_SIDE if fine else LIVE_SIDE,
    )


def _choices(stream: Stream | None) -> None:
    """The drawing options. stream: None if the browser reads faces, which draws no evidence."""
    parts = st.pills(
        "Show on the picture",
        [part for part in PARTS if stream or part != "heat"],
        selection_mode="multi",
        default=["boxes", "labels"],
        format_func=lambda part: PARTS[part],
        wrap=True,
        key="live_parts",
        persist_state="session",
    )
    if stream and "landmarks" in parts and not stream.finds_landmarks:
        st.caption("Only the YuNet detector finds landmarks.")
    with st.expander("More settings", icon=":material/tune:"):
        st.slider(
            "Smoothing (seconds)",
            0.0,
            2.0,
            0.4,
            0.1,
            key="live_smoothing",
            persist_state="session",
            help="Averages the probabilities over about this time; at 0, each frame stands alone. Default: 0.4.",
        )
        st.checkbox(
            "Mirror",
            True,
            key="live_mirror",
            persist_state="session",
            help="Shows you as a mirror does. On by default.",
        )
        st.checkbox(
            "Find small faces, too",
            False,
            key="live_fine",
            persist_state="session",
            help="Searches at 640 pixels instead of 320 and takes about three times as long. Off by default.",
        )
        if stream:
            rate = st.select_slider(
                "Frames per second, from the next start",
                webcam.RATES,
                stream.frame_rate,
                key="live_rate",
                persist_state="session",
                help="A lower rate needs less bandwidth and less of this server. Default: 24.",
            )
            stream.frame_rate = int(rate)
            st.caption("Choose the model and the detector in the sidebar; the stream goes on.")
        else:
            st.caption(
                "Choose the model in the sidebar; the camera goes on. In the browser, YuNet always finds the faces."
            )


def _panel() -> None:
    """The current state, polled. Redraws only itself, so that the stream is never disturbed."""
    stream = state.live.get()
    if session.page_rerun.take():
        st.rerun(scope="app")
    if stream is None or not stream.wanted:
        st.caption("Start the camera to see here who shows which expression, now and over the last minute.")
        return
    if stream.waiting_s > webcam.START_WITHIN_S:
        state.live_error.set(webcam.why_not(stream))
        state.end_live()
        state.open_view("camera")
        st.rerun(scope="app")
    now = stream.analyzer.state()
    if not stream.flows:
        st.info(
            f"Waiting for the camera ({stream.waiting_s:.0f} s). If your browser asks, allow it.",
            icon=":material/hourglass_top:",
        )
        return
    _numbers(now)
    _recorder(stream, now)  # before the charts, since on a busy server the next poll may come before they are drawn
    _people(now)


def _numbers(now: LiveState) -> None:
    st.caption(
        f"{now.frames_per_s:.0f} frames per second · {now.latency_ms:.0f} ms from camera frame to result · "
        f"{now.width} x {now.height}",
        help="Median over the last 3 s, from a frame's arrival at this server until it is drawn, waiting included. "
        "Network time comes on top.",
    )
    if now.failure:
        st.warning(
            f"{count_of(now.failures, 'frame')} could not be read ({now.failure}). The stream goes on; if this "
            "repeats, try another model or detector in the sidebar.",
            icon=":material/error:",
        )
    if now.recording_full:
        st.warning("The recording is full. Stop it, then start another.", icon=":material/fiber_manual_record:")
    if now.silent_s > PERSONS_KEPT_S:
        st.warning(NO_FRAMES, icon=":material/videocam_off:")


def _people(now: LiveState) -> None:
    if not now.faces:
        st.markdown("## No face found")
        st.caption("Face the camera, and have the light in front of you.")
    for place, face in enumerate(now.faces[:SHOWN_PEOPLE]):
        who = f"Person {face.person}: " if len(now.faces) > 1 else ""
        st.markdown(f"## {who}{label_of(face).capitalize()}")
        widgets.probability_chart(face.prediction, key=f"live_bars_{place}")  # a new key would rebuild the chart
        if face.prediction.quality.reasons:
            st.caption("; ".join(face.prediction.quality.reasons))
        elif not face.prediction.sure and face.prediction.prediction_set:
            st.caption(set_words(face.prediction.prediction_set).capitalize())
    if len(now.faces) > SHOWN_PEOPLE:
        st.caption(f"{len(now.faces) - SHOWN_PEOPLE} more on the picture")


def _timeline() -> None:
    """Polled separately, less often."""
    stream = state.live.get()
    if stream is None or not stream.wanted or not stream.flows:
        return
    rows, now_s = stream.analyzer.history()
    if rows:
        people = timeline.people(rows, now_s)
        st.markdown(f"**The last {HISTORY_S:.0f} s**")
        with st.container(height=TIMELINE_HEIGHT if len(people) > MOST_ROWS else "content"):
            widgets.chart(
                timeline_figures.expression_bands(people, max(now_s - HISTORY_S, 0), now_s),
                key="live_timeline",
                alt=_in_words("The last minute", rows),
            )


def _in_words(what: str, rows: list[FaceRecord]) -> str:
    found = recording.shares(rows)
    return f"{what}: " + ", ".join(f"{name} {percent(share)}" for name, share in found.items() if share)


def _recorder(stream: Stream, now: LiveState) -> None:
    if now.recording:
        st.button(
            widgets.main_label(f"Stop recording ({count_of(now.recorded, 'reading')})"),
            on_click=_stop_recording,
            icon=":material/stop:",
            key="record_stop",
        )
    else:
        st.button(
            "Record",
            on_click=stream.analyzer.start_recording,
            icon=":material/fiber_manual_record:",
            key="record_start",
            help="Keeps the probabilities of each person over time, no pictures, until you record again or close this "
            "browser tab.",
        )


def _stop_recording() -> None:
    stream = state.live.get()
    # otherwise a double click, or the camera stopped first
    if stream is not None and stream.analyzer.state().recording:
        state.recording.set(stream.analyzer.stop_recording())
        session.page_rerun.set(True)  # the summary is outside this fragment


def _recording_result() -> None:
    rows = state.recording.get()
    if not rows:
        return
    st.header("Your recording")
    people = timeline.people(rows)
    seconds = max(row.time_s for row in rows)
    st.markdown(
        f"{count_of(len(rows), 'reading')} of {count_of(len(people), 'person', 'people')} in {seconds:.0f} s. Only "
        "numbers were kept, no pictures."
    )
    video_viewer.show_recording("recording_viewer", people, seconds)
    shown, followed = st.columns([3, 2], gap="large")
    with shown:
        st.markdown("**How often each expression appeared**")
        widgets.chart(
            timeline_figures.share_bars(rows),
            key="recording_shares",
            alt=_in_words("The whole recording", rows),
        )
    with followed:
        changes = timeline_figures.transition_table(rows)
        if changes:
            st.markdown("**What followed what**")
            st.dataframe(changes, hide_index=True, width="stretch")
    widgets.download("CSV", lambda: faces_csv(rows), "recording.csv", "text/csv", "recording_csv")

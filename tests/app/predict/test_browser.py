"""Live in the browser, the server's side: what is served, what is taken back, and when it is not offered."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import onnx
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from fer.app.predict.browser import assets, component, constants, ort_web, state
from fer.app.predict.browser.constants import PUSH_S
from fer.app.server import asgi
from fer.errors import WeightsError
from fer.fetched_file import FetchedFile
from fer.inference.live import LiveSettings
from fer.limits import OPEN
from fer.models.weights import find_weights, read_card, shipped_names
from fer.records import faces_csv
from fer.training.run_directory import RunDirectory
from tests.app.helpers import control, open_view, words
from tests.conftest import ROOT, YUNET
from tests.inference import test_timeline
from tests.waiting import finish

JS = ROOT / "fer" / "app" / "predict" / "browser" / "js"


def get(app, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What an ASGI app answers."""
    sent = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
        "app": app,
    }

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    finish(app(scope, receive, send))
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], named, b"".join(part.get("body", b"") for part in sent[1:])


@pytest.fixture
def server(monkeypatch):
    """The app's own routes and middleware, and two pages."""
    monkeypatch.setattr(assets, "_mounted", type(assets._mounted)())
    pages = [Route("/", lambda _: HTMLResponse("<p>A page")), Route("/text", lambda _: PlainTextResponse("text"))]
    return Starlette(routes=[*asgi.routes(), *pages], middleware=asgi.middleware())


@pytest.fixture
def session(monkeypatch):
    """A visitor's session state."""
    monkeypatch.setattr(st, "session_state", {})
    state.cards.get()["the model"] = ("mini_xception", read_card(find_weights("mini_xception")))
    return st.session_state


def test_a_worker_gets_its_file_with_a_policy_that_allows_this_server_alone(server):
    folder = assets.offer(component._modules())
    status, headers, body = get(server, folder + "worker.js", accept_encoding="gzip")
    assert status == 200 and gzip.decompress(body) == (JS / "worker.js").read_bytes()
    assert headers["content-type"].startswith("text/javascript") and headers["x-content-type-options"] == "nosniff"
    assert "immutable" in headers["cache-control"]
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy.pop("script-src") == "'self' 'wasm-unsafe-eval'"
    assert set(policy.values()) == {"'none'", "'self'"} and policy["default-src"] == "'none'"
    assert get(server, folder + "worker.js")[2] == (JS / "worker.js").read_bytes()  # who takes no gzip
    for path in (folder + "types.d.ts", folder + "..%2Fcomponent.py", f"{assets.ROUTE}/{'0' * 32}/worker.js"):
        assert get(server, path)[0] == 404


def test_every_page_allows_this_server_alone(server):
    policy = get(server, "/")[1]["content-security-policy"]
    assert "default-src 'self'" in policy and not re.search(r"https?:|wss?:|\*", policy)
    assert "content-security-policy" not in get(server, "/text")[1]


def test_what_was_not_offered_for_long_goes_first():
    first, *others = (assets.asset_of({"x.js": bytes([number])}) for number in range(assets.KEPT + 1))
    for asset in (first, *others[:-1]):
        assets.offer(asset)
    assets.offer(first)
    assets.offer(others[-1])
    assert first.digest in assets._offered and others[0].digest not in assets._offered


def test_yunet_is_served_for_pictures_of_any_size(yunet_needed, monkeypatch):
    monkeypatch.setenv("FER_YUNET", str(YUNET))
    (_, _, digest, name) = component._yunet().split("/")
    model = onnx.load_from_string(gzip.decompress(assets._offered[digest].files[name]))
    shapes = [value.type.tensor_type.shape.dim for value in (*model.graph.input, *model.graph.output)]
    assert all(not dimension.dim_value for shape in shapes for dimension in shape)
    assert model.graph.node == onnx.load(str(YUNET)).graph.node


@pytest.mark.parametrize("name", shipped_names())
def test_a_model_is_served_with_what_its_card_says(name):
    found, card = component.model(name, "its label")
    digest = found["url"].split("/")[-2]
    blob = gzip.decompress(assets._offered[digest].files["model.onnx"])
    assert (
        hashlib.sha256(blob).hexdigest() == json.loads((ROOT / "weights" / f"{name}.json").read_text())["onnx_sha256"]
    )
    assert found["card"]["preprocessing"]["face_size"] == 48 and found["name"] == "its label"
    assert str(ROOT) not in json.dumps(found)
    assert (found["card"]["sets"] is None) == (card.prediction_sets is None)


def test_a_model_has_an_id_of_its_own_whatever_it_is_called(tmp_path):
    """Two runs of the same title, and newer weights of one of them."""
    ids = []
    for name, weights in (("one", "compact"), ("two", "compact"), ("two", "mini_xception")):
        run = RunDirectory(tmp_path / name)
        run.path.mkdir(exist_ok=True)
        for suffix in ("safetensors", "json"):
            shutil.copy(ROOT / "weights" / f"{weights}.{suffix}", run.path / f"best.{suffix}")
        found, _ = component.model(str(run.path), "Faces")
        assert found["name"] == "Faces" and str(tmp_path) not in json.dumps(found)
        ids.append(found["id"])
    assert len(set(ids)) == 3


def keys_of(values: object, prefix: str = "") -> set[str]:
    if not isinstance(values, dict):
        return {prefix}
    return {key for name, value in values.items() for key in keys_of(value, f"{prefix}.{name}" if prefix else name)}


def test_the_constants_are_those_that_the_modules_read():
    """Each is read by JavaScript, and the two that type them agree: a new one cannot be forgotten on either side."""
    text = "".join(file.read_text() for file in JS.glob("*.js"))
    declared = (JS / "types.d.ts").read_text()
    for key in keys_of(constants.constants()):
        name = key.rpartition(".")[2]
        assert re.search(rf"\b{name}\b", text), key
        assert re.search(rf"\b{name}\b", declared), key
    assert json.loads(json.dumps(constants.constants())) == constants.constants()


def test_the_modules_write_no_markup_and_name_no_host():
    for file in JS.iterdir():
        text = file.read_text()
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|https?://", text), file.name


def row(time_s: float, **changes: object) -> list:
    values = {
        "time_s": time_s,
        "person": 1,
        "probabilities": [0, 0, 0, 0.9, 0, 0, 0.1],
        "box": [1.5, 2, 30, 40, 0.9],
        "reasons": [],
        "model": "the model",
    }
    return list((values | changes).values())


def batch(first: int, *rows: list, done: bool = False, recording: str = "a") -> dict:
    return {"recording": recording, "first": first, "rows": list(rows), "done": done}


def test_batches_become_one_recording_without_gaps_or_doubles(session):
    assert state.take(batch(0)).rows == [] and state.is_recording()
    state.take(batch(0, row(0.1), row(0.2)))
    state.take(batch(0, row(0.1), row(0.2), row(0.3)))  # its answer was late: the browser sent the first two again
    state.take(batch(5, row(0.9)))  # one before it was lost: the browser sends again
    found = state.take(batch(3, row(0.4), done=True))
    assert [one.time_s for one in found.rows] == [0.1, 0.2, 0.3, 0.4] and not state.is_recording()
    assert found.rows[0].prediction.answer == "happy" and found.rows[0].model == "mini_xception"
    assert "0.9000" in faces_csv(found.rows)
    state.take(batch(4, row(0.5)))  # what comes after the end
    assert len(state.recording.get().rows) == 4
    assert state.take(batch(0, row(0.1), recording="b")).id == "b" and len(state.recording.get().rows) == 1


def test_a_page_that_is_left_keeps_what_has_come(session):
    assert state.leave() == []
    state.take(batch(0, row(0.1)))
    assert len(state.leave()) == 1 and not state.is_recording() and state.leave() == []


def test_what_is_sure_is_not_the_browsers_to_say(session):
    unsure = row(0.1, probabilities=[0.3, 0, 0, 0.3, 0.2, 0, 0.2])
    found = state.take(batch(0, unsure, row(0.2, reasons=["blurred"])))
    assert [one.prediction.sure for one in found.rows] == [False, False]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {"recording": "a"},
        batch(-1),
        batch(10**400),
        batch(float("inf")),
        batch(0) | {"rows": "rows"},
    ],
)
def test_what_is_no_batch_is_refused(session, bad):
    assert state.take(bad) is None and not state.recording.get()


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [1, 2],
        row(float("nan")),
        row(10**400),
        row(0.1, model="another"),
        row(0.1, model=["the model"]),
        row(0.1, person=1.5),
        row(0.1, probabilities=[0.5]),
        row(0.1, probabilities=[None] * 7),  # NaN, as JSON says it
        row(0.1, probabilities=[2, 0, 0, 0, 0, 0, 0]),
        row(0.1, box=[1, 2, 3, 4]),
        row(0.1, box=["x", 2, 3, 4, 1]),
        row(0.1, reasons=[5]),
        row(0.1, reasons=["x"] * 99),
    ],
)
def test_a_bad_row_costs_no_other(session, bad):
    found = state.take(batch(0, row(0.1), bad, row(0.2)))
    assert [one.time_s for one in found.rows] == [0.1, 0.2] and found.received == 3
    state.take(batch(0, row(0.1), bad, row(0.2), row(0.3)))  # its answer was late
    state.take(batch(4, row(0.4), done=True))
    assert [one.time_s for one in found.rows] == [0.1, 0.2, 0.3, 0.4] and found.received == 5 and found.done


def test_the_browser_hears_how_many_rows_were_received_not_how_many_were_valid(session, monkeypatch):
    """Or it would send some of them again."""
    given = {}
    for name in ("_runtime", "_yunet"):
        monkeypatch.setattr(component, name, str)
    monkeypatch.setattr(component, "_component", lambda: lambda **options: given.update(options))
    state.take(batch(0, row(0.1), row(0.2, box=[])))
    component.place({}, LiveSettings(), True)
    assert given["data"]["recording"] == {"id": "a", "received": 2, "done": False}


def test_a_recording_is_bounded(session, monkeypatch):
    monkeypatch.setattr(state, "limits", lambda: replace(OPEN, recorded_rows=3))
    assert state.take(batch(0, *(row(index) for index in range(4)))) is None
    state.take(batch(0, row(0), row(1)))
    assert len(state.take(batch(2, row(2), row(3))).rows) == 3


def test_a_long_reason_is_cut(session):
    found = state.take(batch(0, row(0.1, reasons=["x" * 10_000])))
    assert len(found.rows[0].prediction.quality.reasons[0]) == state.LONGEST_REASON


def test_numbers_come_rarely():
    assert PUSH_S == 10  # each batch is a rerun


def test_it_is_not_offered_where_it_cannot_be_and_the_page_says_why(monkeypatch, offline, server):
    assert "could not be downloaded" in component.why_not()
    monkeypatch.setattr(FetchedFile, "coming", property(lambda file: True))
    assert "being downloaded" in component.why_not()
    monkeypatch.setattr(assets, "_mounted", type(assets._mounted)())
    assert "streamlit run" in component.why_not()


def test_the_pinned_runtime_is_the_one_that_is_tested():
    package = json.loads((ROOT / "tests" / "browser" / "package.json").read_text())
    assert package["devDependencies"]["onnxruntime-web"] == ort_web.VERSION
    assert all(ort_web.VERSION in url for file in (ort_web.MODULE, ort_web.WASM) for url in file.urls)


@pytest.fixture
def placed(monkeypatch):
    """In the component's place: what it was given, and what the browser would say in a handler."""
    given = SimpleNamespace(calls=[], says={})

    def place(model, settings, wanted, **handlers):
        given.calls.append(SimpleNamespace(model=model, settings=settings, wanted=wanted, handlers=handlers))

    monkeypatch.setattr(component, "place", place)
    monkeypatch.setattr(component, "said", given.says.get)
    monkeypatch.setattr(component, "why_not", lambda: "")
    return given


def test_on_ones_own_machine_the_server_reads_until_the_visitor_chooses(app, placed):
    open_view(app, "live")
    assert not app.exception and not placed.calls and app.button(key="live_start")
    control(app, "live_place_widget").set_value("browser").run()
    assert not app.exception and placed.calls[-1].wanted and placed.calls[-1].model["name"] == "compact"
    assert app.session_state["browser_cards"][placed.calls[-1].model["id"]][0] == "compact"
    assert placed.calls[-1].settings.mirror and not any(one.key == "live_start" for one in app.button)
    app.slider(key="live_smoothing").set_value(1.0).run()
    assert placed.calls[-1].settings.smoothing_s == 1.0
    app.session_state["wanted_predict_view"] = "photos"
    app.run()
    count = len(placed.calls)
    open_view(app, "live")
    assert len(placed.calls) > count  # the choice is kept


def test_on_a_shared_demo_the_browser_reads_and_a_broken_model_changes_nothing(app, placed, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    open_view(app, "live")
    assert not app.exception and placed.calls[-1].model["name"] == "compact"
    monkeypatch.setattr(component, "model", lambda name, label: (_ for _ in ()).throw(WeightsError("It is damaged.")))
    app.run()
    assert "damaged" in app.error[0].value and placed.calls[-1].model["name"] == "compact"


def test_a_browser_that_cannot_read_is_told_why_and_the_server_takes_over(app, placed, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    app.session_state["browser_unfit"], app.session_state["live_place"] = "wasm", "server"
    open_view(app, "live")
    assert not placed.calls and "does not support WebAssembly" in app.warning[0].value and app.button(key="live_start")
    assert "Frames go to this server" in words(app)


def test_without_it_the_page_says_so_and_the_server_reads(app):
    open_view(app, "live")
    assert any("Your browser cannot" in one.value for one in app.caption) and app.button(key="live_start")


def test_a_recording_is_kept_when_the_server_takes_over_and_its_camera_stops_with_the_tab(app, placed, component):
    """`component` is the server's stream; `placed` what reads in the browser."""
    open_view(app, "live")
    control(app, "live_place_widget").set_value("browser").run()
    app.session_state["browser_recording"] = state.BrowserRecording("a", [test_timeline.row(0.5, 1)])
    control(app, "live_place_widget").set_value("server").run()
    assert not app.exception and any(one.value == "Your recording" for one in app.header)
    assert app.session_state["browser_recording"].done
    app.button(key="live_start").click().run()
    assert component.calls[-1]["desired_playing_state"] is True
    app.session_state["wanted_predict_view"] = "photos"
    app.run()
    assert not app.exception and component.calls[-1]["desired_playing_state"] is False
    open_view(app, "live")
    assert app.button(key="live_start") and component.calls[-1]["desired_playing_state"] is False


def test_a_browser_that_gives_up_while_it_records_loses_nothing(app, placed):
    open_view(app, "live")
    control(app, "live_place_widget").set_value("browser").run()
    app.session_state["browser_recording"] = state.BrowserRecording("a", [test_timeline.row(0.5, 1)])
    app.session_state["browser_unfit"], app.session_state["live_place"] = "files", "server"
    app.run()
    assert not app.exception and any(one.value == "Your recording" for one in app.header)
    assert app.session_state["browser_recording"].done and app.button(key="live_start")


def test_the_servers_camera_stops_when_the_browser_takes_over(app, placed, component):
    open_view(app, "live")
    app.button(key="live_start").click().run()
    stream = app.session_state["live_stream"]
    control(app, "live_place_widget").set_value("browser").run()
    assert not app.exception and not stream.wanted and app.session_state["live_stream"] is None


def test_a_recording_goes_on_being_drawn_after_its_tab_was_left(app, placed):
    open_view(app, "live")
    app.session_state["browser_recording"] = state.BrowserRecording("a")
    app.session_state["wanted_predict_view"] = "photos"
    app.run()
    assert not app.exception and placed.calls and not placed.calls[-1].wanted
    app.session_state["browser_recording"].rows.append(object())
    app.switch_page("pages/evaluate.py").run()
    assert len(app.session_state["live_recording"]) == 1

"""Untrusted words on every page: file names, class folders, table cells, run ids, cards. None becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.app import widgets
from fer.evaluation.robustness import StressPoint
from fer.models.card import Card
from fer.models.checkpoints import save_checkpoint
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.training.config import TrainConfig
from fer.training.run_about import About, write_about
from fer.training.run_directory import RunDirectory
from fer.visualization import evaluation_figures, training_figures
from tests.app.helpers import await_video, faces_shown, make_video, record, tables, upload_photos, upload_video
from tests.conftest import ROOT

TAG = "<script>alert(1)<b>"
LINK = "[x](http://evil.example)![x](http://evil.example/x.png)"
WORDS = f"{TAG}{LINK}"
NAME = WORDS.replace("/", "\u2215").replace(":", "\u2236")  # as a file can be called
# What Streamlit shows letter by letter, whatever stands in it.
LITERAL = {"dataframe", "json", "text_input", "selectbox", "multiselect", "file_uploader", "plotly_chart", "video"}
LITERAL.add("bidi_component")  # fer.app.table and the grid of maps set text, never HTML
UNESCAPED = re.compile(r"(?<!\\)<(?:script|b)\b|(?<!\\)\[x(?<!\\)\]")


@pytest.fixture
def app(home):
    return home


def elements(block) -> list:
    """All elements below, with what expanders and tabs are called."""
    found = []
    for child in block.children.values():
        found += [child] if not hasattr(child, "children") else [child, *elements(child)]
    return found


def assert_letter_by_letter(app, seen: str = "") -> None:
    """No element takes HTML, and none that reads Markdown holds an untrusted mark unescaped; `seen` is on the page."""
    assert not app.exception
    shown = ""
    for element in elements(app._tree):
        proto = getattr(element, "proto", None)
        assert element.type not in ("html", "iframe", "component_instance"), element
        assert not getattr(proto, "allow_html", False), element
        text = str(proto)
        shown += text
        if element.type not in LITERAL:
            text = text.encode().decode("unicode_escape")  # a proto prints a backslash as two
            assert not UNESCAPED.search(text), (element.type, text)
    assert seen in shown


def picture(path: Path, side: int = 48) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(len(path.name)).integers(0, 255, (side, side), np.uint8)).save(path)
    return path


def source(app, key: str):
    return next(element for element in app.get("button_group") if element.key == key)


def test_photo_names(app, unmeasured, sample):
    upload_photos(app, (f"{WORDS}.jpg", sample.read_bytes()), (f"{WORDS}.png", b"no picture"))
    assert_letter_by_letter(app, "script")
    assert faces_shown(app)[0]["face"].startswith(WORDS[:39])  # the table shows it as it is
    next(button for button in app.button if button.label == "Explain this face").click().run()
    assert_letter_by_letter(app)


def test_video_names(app, tmp_path):
    await_video(upload_video(app, make_video(tmp_path), f"{WORDS}.mp4"))
    assert_letter_by_letter(app, "12 frames")


def test_an_unescaped_name_would_be_seen(app, monkeypatch):
    monkeypatch.setattr(widgets, "plain", str)
    upload_photos(app, (f"{WORDS}.png", b"no picture"))
    with pytest.raises(AssertionError, match="markdown"):
        assert_letter_by_letter(app)


def test_class_folders_and_table_cells(app, tmp_path):
    data = tmp_path / NAME
    for number in range(4):
        picture(data / "train" / "happy" / f"{number}{NAME}.png")
        picture(data / "test" / "sad" / f"{number}{NAME}.png")
    picture(data / "train" / NAME / "1.png")
    (data / "train" / "happy" / f"broken{NAME}.png").write_bytes(b"no picture")
    app.switch_page("pages/evaluate.py").run()
    source(app, "evaluate_source").set_value("path").run()
    app.text_input(key="evaluate_path").set_value(str(data)).run()
    assert not app.error
    assert_letter_by_letter(app, "broken")
    source(app, "evaluate_section").set_value("Groups").run()
    assert_letter_by_letter(app)
    places = [f"{place}/{number}{NAME}.png" for number in range(4) for place in ("train/happy", "test/sad")]
    table = f"file,{WORDS},{WORDS}\n" + "".join(f"{place},{WORDS},{WORDS}\n" for place in places)
    app.file_uploader(key="slices_upload").set_value([(f"{WORDS}.csv", table.encode(), "text/csv")]).run()
    assert_letter_by_letter(app, "The table has")
    assert f"{WORDS}: {WORDS}" in tables(app)[0]["group"]
    table = f"{WORDS},file\n{WORDS},x\n"
    app.file_uploader(key="slices_upload").set_value([("t.csv", table.encode(), "text/csv")]).run()
    assert app.error
    assert_letter_by_letter(app, "None of the names")
    app.switch_page("pages/training.py").run()
    source(app, "data_source").set_value("path").run()
    app.text_input(key="data_path").set_value(str(data)).run()
    assert_letter_by_letter(app, "1 file could not be read")


def test_cells_of_a_training_table(app, tmp_path):
    for text in (f"{WORDS},pixels\n1,2\n", f"emotion,pixels\n{WORDS},1\n", f"emotion,pixels\n3,{TAG}\n"):
        (tmp_path / "t.csv").write_text(text)
        app.switch_page("pages/evaluate.py").run()
        source(app, "evaluate_source").set_value("path").run()
        app.text_input(key="evaluate_path").set_value(str(tmp_path / "t.csv")).run()
        assert app.error
        assert_letter_by_letter(app)
        (tmp_path / "t.csv").unlink()


def test_paths_and_run_ids_of_the_address(app):
    app.query_params["run"] = WORDS
    app.switch_page("pages/training.py").run()
    assert_letter_by_letter(app, "Run names may use")
    source(app, "data_source").set_value("path").run()
    app.text_input(key="data_path").set_value(f"/{WORDS}").run()
    assert_letter_by_letter(app, "nothing at")


def test_what_a_run_and_its_card_say(app, tmp_path):
    run = RunDirectory.create(tmp_path / "runs" / "mine", TrainConfig(data=WORDS))
    write_about(run, About("", WORDS))
    run.append(record(1, 0.5))
    card = Card(
        "mini_xception",
        Preprocessing(),
        data=WORDS,
        notes=WORDS,
        date=WORDS,
        licences={WORDS: WORDS},
        metrics={"accuracy": 0.5, "split": WORDS},
    )
    save_checkpoint(run.best, build("mini_xception").state_dict(), card)
    app.query_params["run"] = "mine"
    for state in ("failed", "finished", "stopped"):
        run.write_status(state, message=WORDS)
        app.switch_page("pages/training.py").run()
        assert_letter_by_letter(app, "script")
    app.button(key="use_mine").click().run()
    for page in ("pages/evaluate.py", "pages/predict.py", "streamlit_app.py", "pages/explain.py", "pages/training.py"):
        app.switch_page(page).run()
        assert_letter_by_letter(app, "50.0% accuracy on")
    (run.path / "config.json").write_text(json.dumps({WORDS: 1}))
    app.switch_page("pages/training.py").run()
    assert_letter_by_letter(app, "unknown setting")
    (run.path / "best.json").write_text(json.dumps({"architecture": WORDS}))
    app.switch_page("pages/predict.py").run()
    assert_letter_by_letter(app)


def test_names_in_charts():
    """Plotly reads <b> and <a href> in names."""
    point = StressPoint("noise", 1, 0.5, -0.1, -0.2, 0.0)
    for figure in (
        evaluation_figures.stress_curves({WORDS: [point]}, "noise"),
        training_figures.comparison({WORDS: [record(1, 0.5)]}),
    ):
        text = figure.to_json()
        assert "alert(1)" in text and "<" not in re.sub(r"</?extra>", "", json.loads(json.dumps(text)))


def test_no_page_sets_html():
    ways = r"unsafe_allow_html|st\.html\(|components\.v1|st\.iframe|innerHTML|insertAdjacentHTML|document\.write"
    for path in [*(ROOT / "fer").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"]:
        assert not re.search(ways, path.read_text()), path

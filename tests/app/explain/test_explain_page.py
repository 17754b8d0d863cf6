"""Explain by AppTest: what it opens on, what it says, what it is handed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fer.app.explain.maps import CHECKING
from fer.app.model_choice import ShippedModel, TrainedRun
from fer.explanation.methods import METHODS
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from tests.app.helpers import words


def opened(app):
    """The page once its chosen map was measured, with the small model: its slow maps take a second."""
    if app.session_state["chosen_model"] is None:
        app.session_state["chosen_model"] = ShippedModel("mini_xception")
    app.switch_page("pages/explain.py").run()
    for _ in range(3):  # the page runs itself again when the slow part is done
        if any(CHECKING in text.value for text in app.markdown):
            app.run()
    return app


def test_opens_on_a_face_with_a_verdict_and_a_measured_answer(home):
    app = opened(home)
    assert not app.exception and not app.error
    said = words(app)
    assert "The answer happy rests mainly on" in said and re.search(
        r"\*\*Can you trust this map\?\*\* (Yes|In part|Hardly|No): ", said
    )
    assert "**Deletion**: area" in said and "PublicTest faces" in said
    assert "What if the network is scrambled?" in said and "Do the methods agree?" in said
    assert len(app.dataframe[-1].value) == len(METHODS)


def test_the_chosen_map_alone_is_measured_until_the_others_are_asked_for(home):
    app = opened(home)
    assert words(app).count("Replacing the 10% of the face that it marks most") == 1
    app.button(key="explain_measure_all").click().run()
    app.run()
    lines = [text.value for text in app.markdown if "Replacing the 10% of the face that it marks most" in text.value]
    ranks = [
        ["Pass", "Unclear", "Fail"].index(next(w for w in ("Pass", "Unclear", "Fail") if w in one)) for one in lines
    ]
    assert len(lines) > 4 and ranks == sorted(ranks)  # the one most worth believing first


def test_a_face_is_handed_over_from_predict(home):
    home.session_state["chosen_model"] = ShippedModel("mini_xception")
    home.switch_page("pages/predict.py").run()
    home.button(key="sample_grace-hopper").click().run()
    next(button for button in home.button if button.label == "Explain this face").click().run()
    assert home.title[0].value == "Explain" and not home.exception


def test_the_address_reopens_class_method_and_layer(home):
    home.query_params["class"] = "surprise"
    home.query_params["method"] = "occlusion"
    home.query_params["layer"] = "block2"
    app = opened(home)
    chosen = {box.label: box.value for box in app.main.selectbox}
    if chosen["Method"] != "occlusion":
        pytest.skip("AppTest drops the address on a page change; the browser test covers it")
    assert chosen["Class"] == "surprise" and chosen["Layer"] == "block2"


def put_weights(folder, classifier_bias: float) -> None:
    """Another checkpoint in a run's place, as training does it: best.safetensors and best.json replaced."""

    import torch

    from fer.models.checkpoints import load_checkpoint, save_checkpoint
    from fer.models.weights import find_weights

    network, card = load_checkpoint(find_weights("mini_xception"))
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    weights["classifier.bias"][4] += classifier_bias
    assert torch.isfinite(weights["classifier.bias"]).all()
    save_checkpoint(folder / "best.safetensors", weights, replace(card, sha256=""))


def test_a_run_is_explained_and_so_are_its_next_weights(home, tmp_path, monkeypatch):
    """A run's model is its folder; a better epoch replaces the weights under the same name."""

    monkeypatch.setenv("FER_RUNS", str(tmp_path))
    run = RunDirectory.create(tmp_path / "mine", TrainConfig(data="synthetic", epochs=1))
    put_weights(run.path, 0.0)
    home.session_state["chosen_model"] = TrainedRun(run.path)
    app = opened(home)
    assert not app.exception and not app.error and "## Happy" in words(app)
    put_weights(run.path, 50.0)
    for _ in range(3):
        app.run()
    assert not app.exception and not app.error and "## Sad" in words(app)
    assert "The answer sad rests" in words(app)


def test_what_was_stopped_is_not_called_checked(home):
    home.session_state["chosen_model"] = ShippedModel("mini_xception")
    home.session_state["stop_explaining"] = True
    app = home.switch_page("pages/explain.py").run()
    assert "Not checked, since you stopped." in words(app) and CHECKING not in words(app)
    app.button(key="explain_measure_all").click().run()  # asks for more, so it goes on
    assert not app.session_state["stop_explaining"] and "Not checked" not in words(app)


def test_a_map_that_marks_nothing_gets_no_cost_and_no_verdict(home, monkeypatch):
    from fer.explanation.subject import Subject

    attribute = Subject.attribute

    def blank(self, method, directions, layer=None):
        return attribute(self, method, directions, layer) * (method != "hires_cam")  # which the page opens on

    monkeypatch.setattr(Subject, "attribute", blank)
    app = opened(home)
    said = words(app)
    assert not app.exception and not app.error
    assert "**Can you trust this map?** This map is empty, so there is nothing to check." in said
    assert "What if the network is scrambled?" not in said and "**Deletion**" not in said

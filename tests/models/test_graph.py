"""The graph that predicts belongs to the weights beside it, whenever and however they were written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fer
from fer.errors import WeightsError
from fer.models import weights
from fer.models.card import Card
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.graph import card_of, read_graph
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.tools.export import export
from fer.training.run_directory import RunDirectory

BEFORE = Path(__file__).parent / "before_onnx"  # written by the version that had no .onnx beside its weights
FACES = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def save(path: Path, **card: object) -> Card:
    return save_checkpoint(path, build("mini_xception").state_dict(), Card("mini_xception", **card))


def files(path: Path) -> dict[str, bytes]:
    return {suffix: path.with_suffix(suffix).read_bytes() for suffix in (".safetensors", ".onnx", ".json")}


def test_a_run_from_before_predicts_and_is_exported_once(cache, tmp_path, monkeypatch):
    run = shutil.copytree(BEFORE / "run", tmp_path / "run")
    assert RunDirectory.open(run).records()[0].epoch == 1 and not list(cache.glob("*.onnx"))
    first = fer.load(run).probabilities(FACES)
    assert len(list(cache.glob("*.onnx"))) == 1
    monkeypatch.setattr("fer.models.onnx_export.export_onnx", lambda *args: pytest.fail("exported again"))
    assert np.array_equal(fer.load(run).probabilities(FACES), first)


def test_a_name_that_is_a_pattern_is_no_architecture(tmp_path):
    save(tmp_path / "own.safetensors")
    (tmp_path / "own.onnx").unlink()
    card = json.loads((tmp_path / "own.json").read_text()) | {"architecture": "a**b", "onnx_sha256": ""}
    (tmp_path / "own.json").write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="no architecture"):
        fer.load(tmp_path / "own.safetensors")


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ""])
def test_a_name_that_no_file_can_have_is_a_sentence(suffix):
    with pytest.raises(WeightsError, match="xxx"):
        fer.load("x" * 300 + suffix)


def test_a_card_from_before_loads():
    card = Card.from_json(json.loads((BEFORE / "card.json").read_text()))
    assert card.sha256 and not card.onnx_sha256


def test_a_damaged_cache_only_costs_time(cache, tmp_path):
    run = shutil.copytree(BEFORE / "run", tmp_path / "run")
    first = fer.load(run).probabilities(FACES)
    (cached,) = cache.glob("*.onnx")
    cached.write_bytes(cached.read_bytes()[:-9])
    assert np.array_equal(fer.load(run).probabilities(FACES), first)


def test_both_files_are_described_by_the_card(tmp_path):
    card = save(tmp_path / "a.safetensors")
    blob, read = read_graph(tmp_path / "a.safetensors")
    assert read == card and weights.sha256(blob) == card.onnx_sha256 != card.sha256


@pytest.mark.parametrize("renames", range(4))
def test_a_kill_between_the_files_leaves_a_pair_that_belongs_together(tmp_path, monkeypatch, renames):
    """All is written before the first rename, so every reader ends with the new files."""
    path, replace, left = tmp_path / "a.safetensors", weights.os.replace, [renames]
    save(path, temperature=2.0)

    def killed(source, target):
        if str(source).endswith(".next"):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(weights.os, "replace", killed)
        if renames < 3:
            with pytest.raises(KeyboardInterrupt):
                save(path, temperature=3.0)
        else:
            save(path, temperature=3.0)
    graph_card, (_, network_card) = read_graph(path)[1], load_checkpoint(path)
    assert graph_card == network_card and graph_card.temperature == 3.0
    assert not list(tmp_path.glob(".*.next"))


@pytest.mark.parametrize("suffix", [".safetensors", ".onnx", ".json"])
def test_a_kill_while_writing_leaves_the_old_pair(tmp_path, monkeypatch, suffix):
    path, write = tmp_path / "a.safetensors", weights.replace_file
    save(path, temperature=2.0)
    before = files(path)

    def killed(file, content):
        if file.name.endswith(f"{suffix}.next"):
            raise KeyboardInterrupt
        write(file, content)

    with monkeypatch.context() as patch:
        patch.setattr(weights, "replace_file", killed)
        with pytest.raises(KeyboardInterrupt):
            save(path, temperature=3.0)
    assert read_graph(path)[1].temperature == load_checkpoint(path)[1].temperature == 2.0
    assert files(path) == before


def test_a_graph_of_other_weights_is_refused(tmp_path):
    save(tmp_path / "a.safetensors")
    save(tmp_path / "b.safetensors", temperature=2.0)
    shutil.copy(tmp_path / "b.onnx", tmp_path / "a.onnx")
    with pytest.raises(WeightsError, match="a.onnx does not match its card"):
        read_graph(tmp_path / "a.safetensors")


def test_the_graph_alone_is_enough_to_predict_and_says_so_when_asked_to_explain(tmp_path):
    save(tmp_path / "a.safetensors")
    (tmp_path / "a.safetensors").unlink()
    for given in ("a.safetensors", "a.onnx"):
        recognizer = fer.load(tmp_path / given)
        assert recognizer.probabilities(FACES).shape == (5, 7)
        with pytest.raises(WeightsError, match=r"a\.(onnx|safetensors)"):
            recognizer.load_network()


@pytest.mark.parametrize("int8", [False, True])
def test_an_exported_file_is_a_model_by_itself(tmp_path, int8):
    from fer.data.read import read_dataset

    export("mini_xception", tmp_path / "mine.onnx", read_dataset("synthetic", quiet=True), int8)
    ours, theirs = fer.load("mini_xception"), fer.load(tmp_path / "mine.onnx")
    assert theirs.card.temperature == ours.card.temperature and theirs.card.threshold == ours.card.threshold
    difference = np.abs(theirs.probabilities(FACES) - ours.probabilities(FACES)).max()
    assert difference < (0.5 if int8 else 1e-3)


def test_a_card_beside_a_users_graph_counts(tmp_path):
    from fer.data.read import read_dataset

    export("mini_xception", tmp_path / "mine.onnx", read_dataset("synthetic", quiet=True))
    (tmp_path / "mine.json").write_text(json.dumps({"architecture": "mine", "temperature": 7.0}))
    assert fer.load(tmp_path / "mine.onnx").card.temperature == 7.0
    (tmp_path / "mine.json").write_text(json.dumps({"architecture": "mine", "preprocessing": {"input_size": 40}}))
    with pytest.raises(WeightsError, match="takes faces of 44 pixels, but its card says 40"):
        fer.load(tmp_path / "mine.onnx")


def test_newer_weights_in_a_run_are_told_rather_than_explained_as_the_old_ones(tmp_path):
    save(tmp_path / "a.safetensors")
    recognizer = fer.load(tmp_path / "a.safetensors")
    save(tmp_path / "a.safetensors", temperature=2.0)
    with pytest.raises(WeightsError, match="have changed"):
        recognizer.load_network()


def test_without_torch_weights_without_a_graph_say_what_to_install(tmp_path):
    run = shutil.copytree(BEFORE / "run", tmp_path / "run")
    code = f"import sys; sys.modules['torch'] = None; import fer; fer.load({str(run)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "needs PyTorch: pip install" in done.stderr


def test_a_card_with_another_input_size_gives_another_graph(tmp_path):
    save(tmp_path / "a.safetensors", preprocessing=Preprocessing(input_size=40))
    assert fer.load(tmp_path / "a.safetensors").probabilities(FACES).shape == (5, 7)


def test_an_exported_file_says_that_it_can_only_predict(tmp_path):
    from fer.data.read import read_dataset

    export("mini_xception", tmp_path / "out.onnx", read_dataset("synthetic", quiet=True))
    with pytest.raises(WeightsError, match=r"out\.onnx can only predict"):
        load_checkpoint(tmp_path / "out.onnx")
    with pytest.raises(WeightsError, match=r"no weights called gone\.onnx"):
        load_checkpoint(tmp_path / "gone.onnx")


@pytest.mark.parametrize("started_from, drawings", [("synthetic", True), ("fer2013.csv", False)])
def test_an_exported_file_knows_whether_it_learned_from_drawings_and_keeps_the_rest_private(
    tmp_path, started_from, drawings
):
    from fer.data.read import read_dataset

    settings = {"started_from": started_from, "config": {"init": "/home/ada/start"}}
    save(tmp_path / "a.safetensors", data="synthetic", training=settings)
    export(tmp_path / "a.safetensors", tmp_path / "out" / "a.onnx", read_dataset("synthetic", quiet=True))
    assert card_of(tmp_path / "a.safetensors").from_drawings == drawings
    assert card_of(tmp_path / "out" / "a.onnx").from_drawings == drawings
    assert b"/home/ada" not in (tmp_path / "out" / "a.onnx").read_bytes()

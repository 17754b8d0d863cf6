"""What the hosts need: the image's steps, the proxy, the Space; XSRF protection everywhere else; a read-only disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from itertools import product
from types import SimpleNamespace

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from deploy.rehearse import steps
from fer.data import uploads
from fer.errors import DatasetError
from fer.limits import HOSTED, MB, limits
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STEPS = steps(DOCKERFILE)


def rest_of(name: str) -> list[str]:
    return [rest for each, rest in STEPS if each == name]


def test_the_image_runs_as_nobody_with_an_init_process_and_a_health_check():
    names = [name for name, _ in STEPS]
    assert rest_of("FROM") == ["python:3.11-slim-bookworm"]
    assert rest_of("USER") == ["1000:1000"] and "RUN" not in names[names.index("USER") :]
    assert (
        json.loads(rest_of("ENTRYPOINT")[0])[0] == "tini"
        and "apt-get install -y --no-install-recommends tini" in rest_of("RUN")[0]
    )
    assert "/_stcore/health" in rest_of("HEALTHCHECK")[0]
    assert "FER_HOSTED=1" in rest_of("ENV") and any(rest.startswith("TORCH_INDEX=") for rest in rest_of("ARG"))


SERVICE = steps((ROOT / "deploy" / "service.Dockerfile").read_text(encoding="utf-8"))


def test_all_that_is_copied_is_there_and_let_through_to_the_builder():
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name, rest in (*STEPS, *SERVICE):
        for source in rest.split()[:-1] if name == "COPY" else ():
            assert (ROOT / source).exists() and any(fnmatch(source, each) for each in kept), source
    assert not any(".git" in each or "secrets" in each for each in kept)


def test_steps_are_read_with_their_continued_lines():
    assert steps("# a\nFROM x\nRUN one && \\\n    two\n\nUSER 1:1") == [
        ("FROM", "x"),
        ("RUN", "one &&      two"),
        ("USER", "1:1"),
    ]


def test_the_proxy_ends_tls_before_an_app_that_can_write_only_its_volume():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    app, proxy = compose["services"]["app"], compose["services"]["proxy"]
    assert app["read_only"] and app["volumes"] == ["data:/data"] and app["cap_drop"] == ["ALL"]
    assert "ports" not in app and "443:443" in proxy["ports"]
    assert "reverse_proxy app:8501" in (ROOT / "deploy" / "Caddyfile").read_text()


def test_the_service_runs_as_nobody_behind_a_proxy_and_only_when_asked_for():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    service, proxy = compose["services"]["service"], compose["services"]["service-proxy"]
    assert service["profiles"] == proxy["profiles"] == ["service"] and (ROOT / service["build"]["dockerfile"]).is_file()
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and "ports" not in service
    assert "volumes" not in service and "service:8000" in proxy["command"]
    assert ("USER", "1000:1000") in SERVICE and any(
        name == "HEALTHCHECK" and "/health" in rest for name, rest in SERVICE
    )
    options = [*json.loads(dict(SERVICE)["ENTRYPOINT"])[5:], *service["command"]]
    assert options[::2] == ["--host", "--port", "--hosts"]
    (command,) = [rest for name, rest in SERVICE if name == "RUN" and "pip install" in rest]
    pinned = [line.partition("==")[0] for line in (ROOT / "requirements-dev.txt").read_text().splitlines()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in project["optional-dependencies"]["serve"]:
        name = re.match(r"[\w-]+", line)[0]
        assert name in pinned and re.search(rf"[(|]{name}[|)]", command)


def test_xsrf_and_cors_protection_are_on():
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["server"]
    assert server.get("enableXsrfProtection", True) and server.get("enableCORS", True)
    assert not re.search("xsrf|cors", DOCKERFILE + (ROOT / "deploy/compose.yaml").read_text(), re.IGNORECASE)


def test_a_space_is_a_docker_image_without_the_xsrf_check(tmp_path):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: a Space is made from the last commit")
    made = subprocess.run(
        ["bash", "deploy/huggingface/make_space.sh", str(tmp_path / "space")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    front = yaml.safe_load((tmp_path / "space" / "README.md").read_text().split("---")[1])
    assert front["sdk"] == "docker" and f"EXPOSE {front['app_port']}" in DOCKERFILE
    found = steps((tmp_path / "space" / "Dockerfile").read_text())
    assert [step for step in found if step not in STEPS] == [("ENV", "STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false")]
    assert (tmp_path / "space" / "weights" / "compact.safetensors").is_file() and "hf upload" in made.stdout


@pytest.fixture
def read_only(tmp_path, monkeypatch, offline):
    """An app whose folders cannot be made: they would lie under a file."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FER_HOSTED", "1")
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "file" / "runs"))
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()


def test_without_a_disk_to_write_on_all_works_but_training_which_says_so(read_only):
    app = read_only
    for page in ("streamlit_app.py", "pages/predict.py", "pages/explain.py", "pages/evaluate.py"):
        app.switch_page(page).run()
        assert not app.exception and not app.error, page
    app.switch_page("pages/training.py").run()
    app.button(key="start").click().run()
    assert not app.exception
    (told,) = app.error
    assert os.sep not in told.value and "number" not in told.value


def test_uploads_are_bounded_on_the_server_too(monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    with open(os.devnull, "rb") as nothing:
        upload = SimpleNamespace(seek=lambda *place: HOSTED.dataset_bytes + 1, read=nothing.read)
        for take, name in product((uploads.read_upload, uploads.keep), ("faces.zip", "faces.csv")):
            with pytest.raises(DatasetError, match="the limit is"):
                take(upload, name, limits())
    assert HOSTED.dataset_bytes == 40 * MB

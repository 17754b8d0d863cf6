"""Whether a visitor is still there."""

from __future__ import annotations

from types import SimpleNamespace

from fer.app.server import visitors


def test_a_broken_connection_ends_no_video_at_once(monkeypatch):
    now = [100.0]
    instance = SimpleNamespace(is_active_session=lambda session: session in active)
    active = {"one"}
    monkeypatch.setattr(visitors, "get_script_run_ctx", lambda: SimpleNamespace(session_id="one"))
    monkeypatch.setattr(visitors.runtime, "exists", lambda: True)
    monkeypatch.setattr(visitors.runtime, "get_instance", lambda: instance)
    monkeypatch.setattr(visitors.time, "monotonic", lambda: now[0])
    patient, strict = visitors.still_there(60), visitors.still_there()
    active.clear()
    assert patient() and not strict()
    now[0] += 59
    assert patient()
    active.add("one")
    assert patient()  # back again
    active.clear()
    now[0] += 59
    assert patient()
    now[0] += 2
    assert not patient()

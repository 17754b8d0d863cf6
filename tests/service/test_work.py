"""So many at work, so many waiting; the others come back later, and who leaves makes room."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fer.service.problems import BusyError, ClientLeftError, ProblemError
from fer.service.work import Admission, Workers
from tests.service.conftest import held_up, picture
from tests.waiting import finish, wait_for


def post(served) -> httpx.Response:
    return httpx.post(f"{served.address}/predict", files={"file": ("", picture())}, timeout=30)


def test_over_the_places_is_503_with_the_time_to_come_back(served):
    places = served.shared.admission
    assert places.places == 2
    with ThreadPoolExecutor(2) as clients, held_up(served.shared.photos) as waiting:
        waits = [clients.submit(post, served) for _ in range(2)]
        wait_for(lambda: waiting() == 2)
        refused = post(served)
        assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
        assert httpx.get(f"{served.address}/health", timeout=10).status_code == 200
    assert [each.result().status_code for each in waits] == [200, 200]
    wait_for(lambda: places.places == 2)


def test_who_leaves_while_waiting_gives_the_place_back_at_once(served):
    places, body = served.shared.admission, picture()
    wait_for(lambda: places.places == 2)
    free = places.bytes_free
    host, _, port = served.address.removeprefix("http://").partition(":")
    head = (
        f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body) + 67}\r\n\r\n"
    ).encode()
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n' + body + b"\r\n--x--"
    with held_up(served.shared.photos) as waiting:
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head.replace(str(len(body) + 67).encode(), str(len(form)).encode()) + form)
            wait_for(lambda: waiting() == 1 and places.places == 1)
        wait_for(lambda: places.places == 2 and places.bytes_free == free)  # while the workers are still held up
    assert post(served).status_code == 200


def test_who_leaves_in_the_middle_of_an_upload_does_too(served):
    places = served.shared.admission
    wait_for(lambda: places.places == 2)
    host, _, port = served.address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b'Content-Length: 1000\r\n\r\n{"image": "AA'
        )
        wait_for(lambda: places.places == 1)
    wait_for(lambda: places.places == 2)


def test_admission_counts_places_and_bytes():
    admission = Admission(places=2, bytes_held=10)
    with admission.admitted() as first, admission.admitted() as place:
        with pytest.raises(BusyError), admission.admitted():
            pass
        place.hold(6)
        with pytest.raises(ProblemError, match="may have at most") as refused:
            place.hold(5)
        assert refused.value.status == 413
        with pytest.raises(BusyError):
            first.hold(5)
        first.hold(4)
    assert (admission.places, admission.bytes_free) == (2, 10)


def test_work_that_nobody_waits_for_is_told_and_does_not_begin():
    workers, begun, told = Workers(1), threading.Event(), threading.Event()

    def slow(left) -> None:
        begun.set()
        while not left():
            pass
        told.set()

    async def run() -> None:
        leaves = asyncio.get_running_loop().create_future()

        async def gone() -> None:
            await leaves

        client = asyncio.create_task(gone())
        first = asyncio.create_task(workers.run(slow, client))
        never = asyncio.create_task(workers.run(lambda left: pytest.fail("it began"), client))
        await asyncio.to_thread(begun.wait)
        leaves.set_result(None)
        for each in (first, never):
            with pytest.raises(ClientLeftError):
                await each

    finish(run())
    assert told.wait(10)
    workers.close()


def test_what_work_raises_reaches_who_waits():
    workers = Workers(1)

    def fails(left) -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        finish(workers.run(fails))
    workers.close()

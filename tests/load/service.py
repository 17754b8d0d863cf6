"""What many clients at once cost: `python -m tests.load.service` against `fer serve` on loopback.

Fifty clients send a photo each, again and again, for a minute; one of ten leaves before its answer has come. Exit 1
where a goal is missed: no error; at least 0.85 of the photos a second that the recognizer reads in a loop, in a process
of the same machine, before and after; memory back within 10% of its start.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import tyro

from tests.conftest import ROOT, YUNET
from tests.serving import free_port

PHOTOS = [ROOT / "fer" / "app" / "samples" / name for name in ("astronaut.jpg", "grace-hopper.jpg")]
LEAVE = 0.1  # of the requests: the client goes away before the answer
WARM_UP = 40  # requests before memory is looked at first
LOOP = """
import json, sys, time
import fer
from fer.vision.detection import load_detector
from fer.vision.images import decode_image
recognizer, detector = fer.load(sys.argv[1]), load_detector()
photos = [open(path, "rb").read() for path in sys.argv[3:]]
for data in photos: json.dumps([face.to_json() for face in recognizer.predict(decode_image(data), detector)])
began, busy, count = time.monotonic(), time.process_time(), 0
while time.monotonic() - began < float(sys.argv[2]):
    json.dumps([face.to_json() for face in recognizer.predict(decode_image(photos[count % len(photos)]), detector)])
    count += 1
print(count / (time.monotonic() - began), 1000 * (time.process_time() - busy) / count)
"""


@dataclass
class Tally:
    """What the clients saw."""

    answered: int = 0
    left: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def request_of(photo: bytes) -> bytes:
    """A whole HTTP request with the photo in a form."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + photo + b"\r\n--x--\r\n"
    head = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def answer(client: socket.socket) -> tuple[int, bytes]:
    """The status and body of the next response."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(client)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += _more(client)
    return int(head.split()[1]), body


def _more(client: socket.socket) -> bytes:
    if not (data := client.recv(65536)):
        raise ConnectionError("closed")
    return data


def visit(port: int, tally: Tally, until_s: float, seed: int, requests: list[bytes], leave: float) -> None:
    """One client: asks, waits for the answer, asks again on the same connection; a few leave instead."""
    rng, client = random.Random(seed), None
    while time.monotonic() < until_s:
        began = time.monotonic()
        try:
            client = client or socket.create_connection(("127.0.0.1", port), 60)
            client.sendall(rng.choice(requests))
            if rng.random() < leave:
                client.close()
                client, status, body = None, 0, b""
            else:
                status, body = answer(client)
        except OSError as error:
            status, body, client = -1, str(error).encode(), None
        with tally.lock:
            if status == 200 and json.loads(body)["faces"]:
                tally.answered += 1
                tally.seconds.append(time.monotonic() - began)
            elif status == 0:
                tally.left += 1
            else:
                tally.errors.append(f"{status} {body[:200]!r}")


def crowd(port: int, clients: int, seconds: float, leave: float = LEAVE) -> Tally:
    """So many clients at once for so long."""
    tally, ends = Tally(), time.monotonic() + seconds
    requests = [request_of(photo.read_bytes()) for photo in PHOTOS]
    threads = [
        threading.Thread(target=visit, args=(port, tally, ends, seed, requests, leave)) for seed in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def loop(seconds: float, model: str) -> tuple[float, float]:
    """Photos a second that the recognizer reads in a plain loop, and milliseconds of processor time a photo."""
    command = [sys.executable, "-c", LOOP, model, str(seconds), *map(str, PHOTOS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rate, busy_ms = map(float, done.stdout.split())
    return rate, busy_ms


class Server:
    """`fer serve` in a process of its own."""

    def __init__(self, model: str, cache: Path) -> None:
        self.port = free_port()
        if YUNET.is_file():
            shutil.copy(YUNET, cache)
        environment = {**os.environ, "FER_CACHE": str(cache), "MALLOC_ARENA_MAX": "2"}
        environment.pop("FER_HOSTED", None)
        command = [sys.executable, "-m", "fer", "serve", "--port", str(self.port), "--model", model]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1)
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the service does not start")

    def mb(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def busy_s(self) -> float:
        spent = psutil.Process(self.process.pid).cpu_times()
        return spent.user + spent.system

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def main(clients: int = 50, seconds: float = 60.0, model: str = "compact") -> None:
    """Measure.

    Args:
        clients: How many ask at once.
        seconds: How long.
        model: A name in weights/.
    """
    with tempfile.TemporaryDirectory() as cache:
        server = Server(model, Path(cache))
        try:
            crowd(server.port, 2, 3.0)
            start = server.mb()
            loops = [loop(seconds / 6, model)]
            began, busy = time.monotonic(), server.busy_s()
            tally = crowd(server.port, clients, seconds)
            rate = tally.answered / (time.monotonic() - began)
            busy_ms = 1000 * (server.busy_s() - busy) / tally.answered
            loops.append(loop(seconds / 6, model))
            after = server.mb()
        finally:
            server.close()
    plain, plain_busy_ms = (sum(each) / 2 for each in zip(*loops, strict=True))
    waits = sorted(tally.seconds)
    print(
        f"{clients} clients, {seconds:.0f} s: {tally.answered} answers, {tally.left} left before theirs, "
        f"{len(tally.errors)} errors\n{rate:.1f} photos/s, {rate / plain:.2f} of the loop's {plain:.1f} (before "
        f"{loops[0][0]:.1f}, after {loops[1][0]:.1f}); median wait {1000 * waits[len(waits) // 2]:.0f} ms\n"
        f"processor time a photo {busy_ms:.1f} ms, the loop's {plain_busy_ms:.1f}: {plain_busy_ms / busy_ms:.2f}\n"
        f"memory {start:.0f} MB at the start, {after:.0f} MB at the end"
    )
    missed = sorted(set(tally.errors))[:5]
    missed += [f"throughput is {rate / plain:.2f} of the loop's"] if rate < 0.85 * plain else []
    missed += [f"memory went from {start:.0f} to {after:.0f} MB"] if after > 1.1 * start else []
    print("; ".join(missed) if missed else "all goals held")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    tyro.cli(main)

"""Run the Dockerfile's steps where there is no container engine: `sudo python deploy/rehearse.py`.

The steps run in a mount namespace in which ROOT's folders lie over /app and /data and python is a new virtual
environment; then the server starts as the Dockerfile's user, with everything but /data and /tmp read-only, and its
health check is asked. Not rehearsed: the base image, apt-get (tini must be at hand or is left out), image layers.
Needs Linux, root, unshare and setpriv. The ARGs and pip's own PIP_ variables are taken from the environment.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PLACES = ("/app", "/data", "/venv")


def steps(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions in order, as (NAME, rest), comments and line breaks taken out."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in lines.splitlines() if line.strip()]


def rehearse(root: Path, wait_s: float = 120) -> None:
    """Run every step; raises CalledProcessError for one that fails, SystemExit where the server is not healthy."""
    environment = {
        "PATH": f"/venv/bin:{os.environ['PATH']}",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        **{key: value for key, value in os.environ.items() if key.startswith("PIP_")},
    }
    user, entry, command, check = "0:0", [], [], []
    for name, rest in steps((REPOSITORY / "Dockerfile").read_text(encoding="utf-8")):
        print(f"{name} {rest}", flush=True)
        if name == "ARG":
            key, _, default = rest.partition("=")
            environment[key] = os.environ.get(key, default)
        elif name == "ENV":
            key, _, environment[key] = rest.partition("=")
        elif name == "COPY":
            *sources, target = rest.split()
            quoted = " ".join(shlex.quote(str(REPOSITORY / source)) for source in sources)
            run(f"mkdir -p {target}; cp -r {quoted} {target}" + ("/" if len(sources) > 1 else ""), environment, root)
            if len(sources) == 1 and (REPOSITORY / sources[0]).is_dir():  # COPY takes what is in a folder
                run(
                    f"mv {target}/{Path(sources[0]).name}/* {target} && rmdir {target}/{Path(sources[0]).name}",
                    environment,
                    root,
                )
        elif name == "RUN" and not rest.startswith("apt-get"):
            run(rest, environment, root)
        elif name == "USER":
            user = rest
        elif name == "HEALTHCHECK":
            check = json.loads(re.search(r"\[.*\]", rest)[0])
        elif name in ("ENTRYPOINT", "CMD"):
            entry, command = (json.loads(rest), command) if name == "ENTRYPOINT" else (entry, json.loads(rest))
    if subprocess.run(["which", entry[0]], capture_output=True, check=False).returncode:
        print(f"{entry[0]} is not at hand: the server is process 1's stand-in itself", flush=True)
        entry = []
    server = spawn(shlex.join(entry + command), environment, root, user)
    try:
        await_health(check, environment, root, user, wait_s)
    finally:
        server.terminate()
        server.wait(20)


def await_health(check: list[str], environment: dict[str, str], root: Path, user: str, wait_s: float) -> None:
    began = time.monotonic()
    while spawn(shlex.join(check), environment, root, user, subprocess.DEVNULL).wait():
        if time.monotonic() - began > wait_s:
            sys.exit(f"Not healthy after {wait_s:.0f} s.")
        time.sleep(1)
    print(f"healthy after {time.monotonic() - began:.0f} s, as {user}, read-only but for /data and /tmp", flush=True)
    probe = "touch /app/x; touch /data/x && touch /tmp/x && ls -l /data"
    spawn(f"sh -c {shlex.quote(probe)}", environment, root, user).wait()


def spawn(command: str, environment: dict[str, str], root: Path, user: str, errors: int | None = None):
    """Start a command as the user in a namespace whose root file system is read-only."""
    uid, gid = user.split(":")
    binds = "; ".join(f"mount --bind {root}{place} {place}" for place in PLACES)
    script = (
        f"mount --make-rprivate /; {binds}; mount -t tmpfs tmpfs /tmp; chmod 1777 /tmp; "
        "mount -o remount,ro,bind / /; mount -o remount,ro,bind /app /app; mount -o remount,ro,bind /venv /venv; "
        f"cd /app; exec setpriv --reuid={uid} --regid={gid} --clear-groups --no-new-privs "
        f"--bounding-set=-all {command}"
    )
    return subprocess.Popen(["unshare", "--mount", "sh", "-ec", script], env=environment, stderr=errors)


def run(step: str, environment: dict[str, str], root: Path) -> None:
    binds = "; ".join(f"mount --bind {root}{place} {place}" for place in PLACES)
    inside = environment | {"STEP": step}
    subprocess.run(
        ["unshare", "--mount", "sh", "-ec", f'mount --make-rprivate /; {binds}; cd /app; sh -ec "$STEP"'],
        env=inside,
        check=True,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        for place in PLACES:
            Path(place).mkdir(exist_ok=True)  # what the namespace lays the folders over
            (Path(folder) / place[1:]).mkdir()
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        rehearse(Path(folder))

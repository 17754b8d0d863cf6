"""Ask a running service (`fer serve`) about a photo: python examples/call_service.py photo.jpg [ADDRESS]

Only Python's own library is used, so this file runs on machines without FER Studio. FER_TOKEN is sent if it is set.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main(photo: str, address: str = "http://localhost:8000") -> None:
    body = json.dumps({"image": base64.b64encode(Path(photo).read_bytes()).decode()})
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("FER_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{address}/predict", body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            faces = json.load(reply)["faces"]
    except urllib.error.HTTPError as error:  # its body is a problem document (RFC 9457)
        sys.exit(json.load(error)["detail"])
    except urllib.error.URLError:
        sys.exit(f"Nothing answers at {address}. Start the service with: fer serve")
    for face in faces:
        print(f"{face['answer']}: {face['expression']} {face['confidence']:.1%}, set {', '.join(face['set'])}")


if __name__ == "__main__":
    main(*sys.argv[1:])

# The service alone, without the app and without PyTorch (so /explain answers 501). Build, in the repository's folder:
#   docker build -f deploy/service.Dockerfile -t fer-service .   Run: docker run --rm -p 127.0.0.1:8000:8000 fer-service
FROM python:3.11-slim-bookworm

# Whether YuNet (232 KB, MIT) is fetched into the image, checked by its sha256; "no" leaves face detection to HOG.
ARG YUNET=yes

RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*

WORKDIR /build
COPY requirements.txt requirements-dev.txt pyproject.toml README.md LICENSE streamlit_app.py ./
COPY .streamlit/config.toml ./.streamlit/
COPY pages ./pages
COPY weights ./weights
COPY fer ./fer
# The exact versions that the tests run with.
RUN python -m pip install --no-cache-dir -c requirements.txt ".[serve]" \
    $(grep -E '^(fastapi|fastapi-offline|python-multipart|uvicorn|websockets)==' requirements-dev.txt)
WORKDIR /app
RUN if [ "$YUNET" != no ]; then python -m fer.vision.yunet_file /app/detectors; fi && rm -rf /build

ENV FER_HOSTED=1
ENV FER_YUNET=/app/detectors/face_detection_yunet_2023mar.onnx
ENV HOME=/tmp
ENV PYTHONUNBUFFERED=1
ENV MALLOC_ARENA_MAX=2
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["tini", "-g", "--", "fer", "serve", "--host", "0.0.0.0", "--port", "8000"]

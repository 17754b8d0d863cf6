# FER Studio as a shared demo. Build: docker build -t fer-studio .   Run: docker run --rm -p 8501:8501 fer-studio
# Works with --read-only --tmpfs /tmp; what is trained or uploaded for training lies in /data, kept by -v fer:/data.
FROM python:3.11-slim-bookworm

# The wheel index that torch comes from: this one has CPU builds (200 MB). Empty: PyPI's CUDA build.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# Whether YuNet (232 KB, MIT) is fetched into the image, checked by its sha256; "no" leaves face detection to HOG.
ARG YUNET=yes
# Whether onnxruntime-web (14 MB, MIT) is fetched into the image in the same way, so that Live can read faces in the
# visitor's browser; "no" leaves live cameras to the server.
ARG ORT_WEB=yes

# tini is process 1: it reaps the workers of training runs whose server has gone.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt ./
# torch first and alone: with it in place nothing else brings another build.
RUN python -m pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "$(grep '^torch==' requirements.txt)" && \
    python -m pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt
COPY LICENSE streamlit_app.py ./
COPY .streamlit/config.toml ./.streamlit/
COPY pages ./pages
COPY recipes ./recipes
COPY weights ./weights
COPY fer ./fer
RUN if [ "$YUNET" != no ]; then python -m fer.vision.yunet_file /app/detectors; fi
RUN if [ "$ORT_WEB" != no ]; then python -m fer.app.predict.browser.ort_web /app/onnxruntime-web; fi
RUN python -m compileall -q fer pages streamlit_app.py && mkdir -p /data && chown 1000:1000 /data

ENV FER_HOSTED=1
ENV FER_YUNET=/app/detectors/face_detection_yunet_2023mar.onnx
ENV FER_ORT_WEB=/app/onnxruntime-web
ENV FER_CACHE=/data/cache
ENV FER_RUNS=/data/runs
ENV HOME=/tmp
ENV PYTHONUNBUFFERED=1
# Memory of visitors that left goes back to the system (measured by python -m tests.load).
ENV MALLOC_ARENA_MAX=2
VOLUME /data
USER 1000:1000
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["tini", "-g", "--"]
CMD ["python", "-m", "streamlit", "run", "streamlit_app.py", "--server.headless=true", "--server.address=0.0.0.0", "--server.port=8501"]

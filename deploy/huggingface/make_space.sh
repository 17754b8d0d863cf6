#!/usr/bin/env bash
# Write the repository of a Hugging Face Space (Docker kind) into a new folder: deploy/huggingface/make_space.sh FOLDER
set -euo pipefail
out="$(mkdir -p "$1" && cd "$1" && pwd)"
cd "$(dirname "$0")/../.."
git archive HEAD .dockerignore LICENSE requirements.txt streamlit_app.py .streamlit pages recipes weights fer \
  | tar -x -C "$out"
cp deploy/huggingface/README.md "$out/README.md"
# A Space is shown in a frame of another site, where the cookie of Streamlit's XSRF check does not come back: only there
# the check is off, else no photo could be uploaded.
git show HEAD:Dockerfile \
  | awk '/^USER / { print "ENV STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false" } { print }' > "$out/Dockerfile"
echo "Written to $out. Then: hf upload YOU/SPACE $out . --repo-type space (see docs/hosting.md)"

#!/usr/bin/env bash
# A Chromium and its driver, for the tests that use a real browser. Does nothing where both are there.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null; then
  echo "setup: installing chromium"
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
.venv/bin/python -c 'import playwright' 2>/dev/null || .venv/bin/pip install --quiet --disable-pip-version-check playwright==1.65.2

#!/usr/bin/env bash
# The integration tests, side by side; what fails is run once more, alone: on a small machine the engine may have been late.
# An engine that has ended (BuildKit of Docker 20.10 can panic, moby/moby#42414) is started again before that.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly WORKERS=$1
export LAMBDAIMG_REQUIRE_ENGINE=1

run() { .venv/bin/pytest -m "not slow" "$@" tests/integration; }

again() { run --last-failed --last-failed-no-failures none "$@"; }

side_by_side=(-n "$WORKERS" --dist loadscope)

run "${side_by_side[@]}" && exit
if ! timeout 10 docker info >/dev/null 2>&1; then
  echo "the engine has ended: starting it again, and running what it took with it"
  scripts/setup-engine.sh
  again "${side_by_side[@]}" && exit
fi
echo "what failed beside the others is run again alone"
again

#!/usr/bin/env bash
# Both examples, from source to answer: built with BuildKit, run under AWS's Runtime Interface Emulator, invoked over HTTP.
set -euo pipefail
cd "$(dirname "$0")/.."

for example in python-hello nodejs-hello; do
  printf '\n== %s ==\n' "$example"
  .venv/bin/lambdaimg -C "examples/$example" build
  printf 'event:  %s\n' "$(cat "examples/$example/events/hello.json")"
  answer=$(.venv/bin/lambdaimg -C "examples/$example" invoke hello --rie --event events/hello.json)
  printf 'answer: %s\n' "$answer"
done

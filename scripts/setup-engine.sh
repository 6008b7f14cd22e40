#!/usr/bin/env bash
# Makes a Docker Engine with buildx and compose answer. Does nothing where one does, and never touches one that runs.
# Debian and Ubuntu, as root or through sudo; elsewhere it says what to install.
set -euo pipefail

readonly PATIENCE=90 # seconds for the daemon to answer
readonly LOG=/var/log/dockerd-lambdaimg.log
readonly LOCK=/tmp/lambdaimg-setup.lock
readonly PLUGINS="${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins"

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 3
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

may_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
}

engine_answers() { timeout 10 docker info >/dev/null 2>&1; }

plugin_works() { timeout 10 docker "$1" version >/dev/null 2>&1; }

update_apt_once() {
  [ -z "${apt_is_updated:-}" ] || return 0
  as_root apt-get update -q >&2
  apt_is_updated=1
}

install_packages() {
  say "installing the packages: $*"
  update_apt_once
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

packaged() { apt-cache show "$1" >/dev/null 2>&1; }

# A pid file of a process that is gone keeps a daemon from starting once its number is another process's.
remove_stale_pid_files() {
  local file name
  for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
    [ -f "$file" ] || continue
    name=$(cat "/proc/$(cat "$file")/comm" 2>/dev/null || true)
    case "$name" in
      dockerd | containerd) ;;
      *) as_root rm -f "$file" ;;
    esac
  done
}

start_daemon() {
  say "starting the Docker Engine (its log: $LOG)"
  if [ -d /run/systemd/system ]; then
    as_root systemctl start docker
  else
    remove_stale_pid_files
    # A session of its own, so that it outlives this script and its terminal; the lock stays with this script.
    # shellcheck disable=SC2016 # it is the inner shell that expands
    as_root sh -c 'setsid dockerd </dev/null >>"$1" 2>&1 9>&- &' sh "$LOG"
  fi
  local end=$((SECONDS + PATIENCE))
  until engine_answers; do
    if [ "$SECONDS" -ge "$end" ]; then
      as_root tail -n 20 "$LOG" >&2 || true
      fail "the Docker Engine did not answer within $PATIENCE s"
    fi
    sleep 0.2
  done
}

provide_engine() {
  engine_answers && return 0
  if [ -n "${DOCKER_HOST:-}" ]; then
    fail "no engine answers at DOCKER_HOST=$DOCKER_HOST: correct or unset it"
  fi
  # Two set-ups at once: the second waits, and finds what the first made.
  exec 9>"$LOCK"
  flock 9
  engine_answers && return 0
  if ! command -v dockerd >/dev/null; then
    may_install || fail "no Docker Engine answers: install one (https://docs.docker.com/engine/install/) and run this again"
    install_packages ca-certificates containerd docker.io iptables runc
  fi
  start_daemon
}

# The address of the Debian mirror that apt uses here, in either format of its sources.
debian_mirror() {
  # Not all of these files are there on any one machine.
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
    sed -nE 's/^[[:space:]]*(deb[[:space:]]+(\[[^]]*\][[:space:]]+)?|URIs:[[:space:]]*)([^[:space:]]+\/debian)\/?([[:space:]].*)?$/\3/p' |
    head -n 1
}

# Debian 12 has no plugins: those of Debian 13 are static programs, so the two packages are unpacked for this user
# alone, with an apt state of their own, and nothing of the system is upgraded.
unpack_debian_13_plugins() {
  local mirror keyring scratch
  mirror=$(debian_mirror)
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [ -z "$mirror" ] || [ ! -f "$keyring" ]; then
    fail "docker has no $*: install docker-buildx-plugin and docker-compose-plugin (https://docs.docker.com/engine/install/)"
  fi
  say "unpacking docker-buildx and docker-compose of Debian 13 into $PLUGINS"
  scratch=$(mktemp -d)
  chmod 755 "$scratch"
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/packages"
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' "$mirror" "$keyring" >"$scratch/debian.sources"
  local options=(
    -o "Dir::Etc::sourcelist=$scratch/debian.sources" -o Dir::Etc::sourceparts=-
    -o "Dir::State::Lists=$scratch/lists" -o "Dir::Cache=$scratch/cache" -o APT::Sandbox::User=root
  )
  apt-get "${options[@]}" update -q >&2
  (cd "$scratch/packages" && apt-get "${options[@]}" download -q docker-buildx docker-compose >&2)
  mkdir -p "$PLUGINS"
  local package plugin
  for package in "$scratch"/packages/*.deb; do dpkg -x "$package" "$scratch/root"; done
  for plugin in docker-buildx docker-compose; do
    install -m 755 "$scratch/root/usr/libexec/docker/cli-plugins/$plugin" "$PLUGINS/.$plugin.new"
    mv -f "$PLUGINS/.$plugin.new" "$PLUGINS/$plugin"
  done
  rm -rf "$scratch"
}

provide_plugins() {
  local missing=() package found=()
  plugin_works buildx || missing+=(buildx)
  plugin_works compose || missing+=(compose)
  [ "${#missing[@]}" -gt 0 ] || return 0
  may_install || fail "docker has no ${missing[*]}: install docker-buildx-plugin and docker-compose-plugin"
  update_apt_once
  for package in docker-buildx docker-compose-v2; do
    packaged "$package" && found+=("$package")
  done
  if [ "${#found[@]}" -eq 2 ]; then install_packages "${found[@]}"; else unpack_debian_13_plugins "${missing[@]}"; fi
  if ! plugin_works buildx || ! plugin_works compose; then fail "docker's buildx and compose still don't work"; fi
}

# Base images are made with it where no registry answers; without it, they must be pulled.
provide_mmdebstrap() {
  command -v mmdebstrap >/dev/null && return 0
  if may_install; then install_packages mmdebstrap; fi
}

provide_engine
provide_plugins
provide_mmdebstrap

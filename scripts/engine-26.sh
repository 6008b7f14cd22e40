#!/usr/bin/env bash
# Runs a command beside a private, current Docker Engine (Debian 13's), which DOCKER_HOST names; nothing of it stays.
# As root on Debian. The engine has a root file system, a mount namespace and a network namespace of its own, for a
# second daemon in one network namespace takes the first one's bridge away. The base images come from the usual engine.
#   scripts/engine-26.sh COMMAND [ARGUMENT]...
set -euo pipefail

readonly PATIENCE=60 # seconds for the daemon to answer
readonly NAME="li$$"
readonly WORK="/var/tmp/lambdaimg-$NAME"
readonly SUBNET="10.213.$(($$ % 250)).0/30"
readonly HERE="10.213.$(($$ % 250)).1" THERE="10.213.$(($$ % 250)).2"
readonly IMAGES=(debian:trixie-slim debian:bookworm-slim python:3.13-slim node:24-slim)

say() { printf 'engine 26: %s\n' "$*" >&2; }

# In the network namespace; `ip netns exec` would hide the control groups.
inside() { nsenter --net="/run/netns/$NAME" "$@"; }

clean_up() {
  [ -z "${daemon:-}" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null || true; }
  iptables -t nat -D POSTROUTING -s "$SUBNET" -j MASQUERADE 2>/dev/null || true
  iptables -D FORWARD -s "$SUBNET" -j ACCEPT 2>/dev/null || true
  iptables -D FORWARD -d "$SUBNET" -j ACCEPT 2>/dev/null || true
  ip netns delete "$NAME" 2>/dev/null || true
  rm -rf --one-file-system "$WORK"
}

# A network namespace that reaches the world through this one.
make_network() {
  ip netns add "$NAME"
  ip link add "$NAME" type veth peer name eth0 netns "$NAME"
  ip address add "$HERE/30" dev "$NAME"
  ip link set "$NAME" up
  inside ip link set lo up
  inside ip link set eth0 up
  inside ip address add "$THERE/30" dev eth0
  inside ip route add default via "$HERE"
  iptables -t nat -A POSTROUTING -s "$SUBNET" -j MASQUERADE
  iptables -I FORWARD -s "$SUBNET" -j ACCEPT
  iptables -I FORWARD -d "$SUBNET" -j ACCEPT
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

make_root() {
  say "making a root file system of Debian 13 with its engine"
  local mirror
  mirror=$(.venv/bin/python -c 'from lambdaimg.images.bootstrap import debian_mirror; print(debian_mirror())')
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,docker-cli,docker.io,iptables,procps \
    trixie "$WORK/root" ${mirror:+"$mirror"}
  mkdir -p "$WORK/socket" "$WORK/root/socket" "$WORK/root/var/tmp"
}

# The projects of the tests and the emulator are bind-mounted from here, so the daemon sees the same folders.
# Its root is its namespace's own (`pivot_root`; after `chroot`, what is run in a container would be run in this one).
start_daemon() {
  say "starting it (its log: $WORK/log)"
  # Not by `inside`: its shell would be what is killed at the end.
  # shellcheck disable=SC2016 # the inner shell expands
  nsenter --net="/run/netns/$NAME" unshare --mount sh -c '
    root=$1
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount --bind "$2" "$root/socket"
    for folder in /proc /sys /dev /tmp "$3" "$4"; do
      mkdir -p "$root$folder" && mount --rbind "$folder" "$root$folder"
    done
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    mkdir -p "$root/outside"
    cd "$root"
    pivot_root . outside
    umount --lazy /outside
    exec dockerd --host unix:///socket/docker.sock --pidfile /run/private.pid \
      --data-root /var/lib/private --exec-root /run/private
  ' sh "$WORK/root" "$WORK/socket" "$HOME" "$PWD" >"$WORK/log" 2>&1 &
  daemon=$!
  export DOCKER_HOST="unix://$WORK/socket/docker.sock"
  local end=$((SECONDS + PATIENCE))
  until timeout 10 docker info >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ] || ! kill -0 "$daemon" 2>/dev/null; then
      tail -n 20 "$WORK/log" >&2
      exit 3
    fi
    sleep 0.2
  done
  say "Docker Engine $(docker version --format '{{.Server.Version}}') answers"
}

load_images() {
  say "loading the base images"
  DOCKER_HOST="$usual" docker save "${IMAGES[@]}" | docker load --quiet >&2
}

[ "$#" -gt 0 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
cd "$(dirname "$0")/.."
usual=${DOCKER_HOST:-unix:///var/run/docker.sock}
trap clean_up EXIT
mkdir -p "$WORK"
make_network
make_root
start_daemon
load_images
inside "$@"

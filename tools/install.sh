#!/bin/sh
# Installs the pinned package into .venv, with the development tools when called with `dev`.
# A stamp in .venv holds what was installed from what: as long as it fits, nothing happens and no network is needed.
set -eu
cd "$(dirname "$0")/.."
extra=${1:-}

if ! git --version >/dev/null 2>&1; then
    echo "git was not found: install it (any version will do) and run make again." >&2
    exit 2
fi

wanted="$(pwd) $(cat pyproject.toml constraints.txt | cksum)"
stamp=.venv/.stamp${extra:+-$extra}
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

# Scripts in .venv name its path: one that was moved, or whose Python is gone, is made anew.
started=$(date +%s)
home=$(cat .venv/.home 2>/dev/null || pwd)
if [ "$home" != "$(pwd)" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(sh tools/find_python.sh)
    "$python" -m venv --clear .venv
fi
pwd > .venv/.home
echo "set up: installing the pinned packages into .venv with $(.venv/bin/python -V) (minutes the first time)"
if ! .venv/bin/python -m pip install -qq --no-input --root-user-action=ignore \
    -c constraints.txt -e ".${extra:+[$extra]}"; then
    echo "The pinned packages could not be installed: see pip's words above; the first installation needs a network." >&2
    exit 1
fi
echo "$wanted" > .venv/.stamp
echo "$wanted" > "$stamp"
echo "set up: done in $(($(date +%s) - started)) s"

#!/usr/bin/env bash
# Installs the tools that the tests need, then checks the formatting and lints and runs all tests.
#
#   tests/run.sh          checks that every change must pass
#   tests/run.sh --full   also runs the checks that take longer
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

full=no
case "${1-}" in
    '') ;;
    --full) full=yes ;;
    *)
        echo "usage: tests/run.sh [--full]" >&2
        exit 2
        ;;
esac

stage='preparation'
headline() {
    stage=$1
    printf '\n== %s\n' "$stage"
}
tell() {
    local status=$?
    if ((status == 0)); then
        printf '\n== passed in %d s\n' "$SECONDS"
    else
        printf '\n== FAILED (%s) after %d s\n' "$stage" "$SECONDS" >&2
    fi
}
trap tell EXIT

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# install NAME APT_PACKAGES DNF_PACKAGES APK_PACKAGES: installs a tool. Each list is separated by
# spaces.
install() {
    local apt dnf apk
    read -ra apt <<<"$2"
    read -ra dnf <<<"$3"
    read -ra apk <<<"$4"
    if command -v apt-get >/dev/null; then
        as_root apt-get update
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${apt[@]}"
    elif command -v dnf >/dev/null; then
        as_root dnf install -y "${dnf[@]}"
    elif command -v apk >/dev/null; then
        as_root apk add "${apk[@]}"
    else
        echo "$1 is missing, and none of apt-get, dnf and apk was found: install $1 and run this again" >&2
        return 1
    fi
}

# The JavaScript client in docs/PROTOCOL.md needs a WebSocket class. Node.js has one since version
# 22, versions 20 and 21 have one behind a flag, and older versions need the package `ws`.
install_websocket() {
    local has_one='process.exit(typeof WebSocket === "function" ? 0 : 1)'
    node -e "$has_one" && return
    node --experimental-websocket -e "$has_one" 2>/dev/null && return
    local tools=$PWD/target/test-tools
    export NODE_PATH=$tools/node_modules
    node -e 'require("ws")' 2>/dev/null && return
    mkdir -p "$tools"
    echo '{"private": true}' >"$tools/package.json"
    npm install --prefix "$tools" --no-audit --no-fund ws@8
}

headline 'tools'
if ! command -v cargo >/dev/null && [[ -f "${CARGO_HOME:-$HOME/.cargo}/env" ]]; then
    # Rust was installed after this shell had started.
    # shellcheck source=/dev/null
    . "${CARGO_HOME:-$HOME/.cargo}/env"
fi
if ! command -v cargo >/dev/null; then
    echo 'Rust is missing: install it from https://rustup.rs' >&2
    exit 1
fi
# Cargo needs the system's C compiler for linking.
command -v cc >/dev/null || install 'C compiler' 'gcc libc6-dev' 'gcc glibc-devel' 'gcc musl-dev'
# Tests run the clients of docs/PROTOCOL.md.
command -v python3 >/dev/null || install Python python3 python3 python3
command -v node >/dev/null || install Node.js nodejs nodejs nodejs
# The board is tested in a browser, which Node.js drives.
command -v npm >/dev/null || install npm npm npm npm
command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
    install Chromium chromium chromium chromium
install_websocket
# The commands that README.md and docs/ show are run by tests.
command -v curl >/dev/null || install curl curl curl curl
command -v jq >/dev/null || install jq jq jq jq
cargo fmt --version 2>/dev/null || rustup component add rustfmt
cargo clippy --version 2>/dev/null || rustup component add clippy
# The tests open many sockets at the same time.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
echo "open files: $(ulimit -n)"

headline 'formatting'
cargo fmt --all --check

headline 'lints'
cargo clippy --workspace --all-targets --locked -- -D warnings

headline 'tests'
if [[ $full == yes ]]; then
    # Some tests run longer if this is set.
    export NORTHGATE_FULL=1
fi
cargo test --workspace --locked

headline 'black-box tests against the store on disk'
# `--workspace` selects the same features as above, so that nothing is rebuilt.
NORTHGATE_TEST_STORE=disk cargo test --workspace --test black_box --locked

headline 'the board in a browser'
node crates/dashboard/update-libraries.mjs --check
cargo build --package northgate-server --locked
browser_flags=()
[[ $full == no ]] || browser_flags=(--full)
tests/browser/run.sh target/debug/northgate "${browser_flags[@]}"

if [[ $full == yes ]]; then
    headline 'release build'
    cargo build --workspace --release --locked
    headline 'tests of the release build'
    cargo test --package northgate-tests --release --locked
    headline 'proxies and clients'
    tests/interop/run.sh target/release/northgate
fi

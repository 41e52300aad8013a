#!/usr/bin/env bash
# Checks everything: installs what the tests need, then formatting, lints, and all tests.
#
#   tests/run.sh          what every change must pass
#   tests/run.sh --full   and what takes longer
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

# Cargo links with the system's C compiler.
install_compiler() {
    if command -v apt-get >/dev/null; then
        as_root apt-get update
        as_root apt-get install -y --no-install-recommends gcc libc6-dev
    elif command -v dnf >/dev/null; then
        as_root dnf install -y gcc glibc-devel
    elif command -v apk >/dev/null; then
        as_root apk add gcc musl-dev
    else
        echo 'there is no C compiler: install one as "cc"' >&2
        return 1
    fi
}

headline 'tools'
if ! command -v cargo >/dev/null && [[ -f "${CARGO_HOME:-$HOME/.cargo}/env" ]]; then
    # Rust was installed after this shell began.
    # shellcheck source=/dev/null
    . "${CARGO_HOME:-$HOME/.cargo}/env"
fi
if ! command -v cargo >/dev/null; then
    echo 'there is no Rust: install it from https://rustup.rs' >&2
    exit 1
fi
command -v cc >/dev/null || install_compiler
cargo fmt --version 2>/dev/null || rustup component add rustfmt
cargo clippy --version 2>/dev/null || rustup component add clippy
# Tests open many sockets.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
echo "open files: $(ulimit -n)"

headline 'formatting'
cargo fmt --all --check

headline 'lints'
cargo clippy --workspace --all-targets --locked -- -D warnings

headline 'tests'
if [[ $full == yes ]]; then
    # Tests that can be longer look for this.
    export NORTHGATE_FULL=1
fi
cargo test --workspace --locked

if [[ $full == yes ]]; then
    headline 'release build'
    cargo build --workspace --release --locked
    headline 'tests of the release build'
    cargo test --package northgate-tests --release --locked
    headline 'proxies and clients'
    tests/interop/run.sh target/release/northgate
fi

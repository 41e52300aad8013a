#!/usr/bin/env bash
# Checks the types of the board's modules, then tests the board in Chromium.
#
#   tests/browser/run.sh PATH_TO_NORTHGATE [--full]
#
# The Node packages are installed into target/test-tools/browser, once for each package-lock.json.
# NORTHGATE_BROWSER_TESTS selects the test files, for example "list acting".
set -euo pipefail

usage() {
    echo 'usage: tests/browser/run.sh PATH_TO_NORTHGATE [--full]' >&2
    exit 2
}
if (($# < 1 || $# > 2)) || [[ ! -x $1 ]]; then
    usage
fi
case "${2-}" in
    '') ;;
    --full) export NORTHGATE_FULL=1 ;;
    *) usage ;;
esac
NORTHGATE_BINARY=$(realpath "$1")
export NORTHGATE_BINARY
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
target=$here/../../target
export NORTHGATE_BROWSER_TOOLS=$target/test-tools/browser
export NORTHGATE_SCREENSHOTS=$target/board-screenshots

fail() {
    printf 'FAILED tools: %s\n' "$1" >&2
    exit 1
}
node_is_new() {
    command -v node >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)'
}

node_is_new || fail 'Node.js 20 or newer is missing'
command -v npm >/dev/null || fail 'npm is missing'
NORTHGATE_CHROMIUM=$(command -v chromium || command -v chromium-browser || true)
[[ -n $NORTHGATE_CHROMIUM ]] || fail 'Chromium is missing: install the package chromium'
export NORTHGATE_CHROMIUM

stamp=$NORTHGATE_BROWSER_TOOLS/installed-package-lock.json
if ! cmp --silent "$here/package-lock.json" "$stamp"; then
    mkdir -p "$NORTHGATE_BROWSER_TOOLS"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$NORTHGATE_BROWSER_TOOLS"
    npm ci --prefix "$NORTHGATE_BROWSER_TOOLS" --ignore-scripts --no-audit --no-fund ||
        fail 'npm could not install the packages of tests/browser/package-lock.json'
    cp "$here/package-lock.json" "$stamp"
fi

"$NORTHGATE_BROWSER_TOOLS/node_modules/.bin/tsc" --project "$here/tsconfig.json"

# The board's logic, without a browser.
node --test --test-reporter=dot "$here"/units/*.test.mjs

files=()
for name in ${NORTHGATE_BROWSER_TESTS:-$(basename --suffix .test.mjs "$here"/*.test.mjs)}; do
    files+=("$here/$name.test.mjs")
done
# Three files at a time: each has its own browser, and waits more than it computes.
exec node --test --test-concurrency=3 --test-reporter=spec "${files[@]}"

#!/usr/bin/env bash
# Checks that Northgate works with common proxies and clients. Installs these programs and runs all
# checks.
#
#   tests/interop/run.sh PATH_TO_NORTHGATE
#
# NORTHGATE_TOOLS is the folder for Python and Node packages. The default is target/interop-tools.
set -euo pipefail

if (($# != 1)) || [[ ! -x $1 ]]; then
    echo 'usage: tests/interop/run.sh PATH_TO_NORTHGATE' >&2
    exit 2
fi
binary=$(realpath "$1")
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
tools=${NORTHGATE_TOOLS:-$here/../../target/interop-tools}
mkdir -p "$tools"
tools=$(realpath "$tools")
log=$tools/install.log
: >"$log"
# nginx and haproxy are in sbin, which is not in the PATH of every user.
PATH=$PATH:/usr/sbin:/usr/local/sbin
# Keeps bytecode files out of the source tree.
export PYTHONDONTWRITEBYTECODE=1

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}
missing() {
    printf 'FAILED tools: %s\n' "$1"
    tail -n 20 "$log" >&2
    exit 1
}

java_is_new() {
    local version
    command -v javac >/dev/null && version=$(javac -version 2>&1) || return 1
    version=${version#javac }
    ((${version%%[.-]*} >= 17))
}
node_is_new() {
    local version
    command -v node >/dev/null && version=$(node --version) || return 1
    version=${version#v}
    ((${version%%.*} >= 18))
}
python_has_venv() {
    command -v python3 >/dev/null &&
        python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}
curl_has_http2() {
    command -v curl >/dev/null && [[ $(curl --version) == *HTTP2* ]]
}

packages=()
command -v nginx >/dev/null || packages+=(nginx-light)
command -v haproxy >/dev/null || packages+=(haproxy)
command -v caddy >/dev/null || packages+=(caddy)
command -v zstd >/dev/null || packages+=(zstd)
curl_has_http2 || packages+=(curl)
java_is_new || packages+=(default-jdk-headless)
node_is_new || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
python_has_venv || packages+=(python3 python3-venv)
if ((${#packages[@]} > 0)); then
    command -v apt-get >/dev/null || missing "apt-get is missing: install ${packages[*]} and run this again"
    {
        as_root apt-get update
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
    } >>"$log" 2>&1 || missing "could not install ${packages[*]}"
fi
command -v nginx >/dev/null || missing 'nginx is missing'
command -v haproxy >/dev/null || missing 'haproxy is missing'
command -v caddy >/dev/null || missing 'caddy is missing'
command -v zstd >/dev/null || missing 'zstd is missing'
curl_has_http2 || missing 'curl with HTTP/2 is missing'
java_is_new || missing 'a JDK of version 17 or newer is missing'
node_is_new || missing 'Node.js 18 or newer is missing'
command -v npm >/dev/null || missing 'npm is missing'
python_has_venv || missing 'Python 3.10 or newer with venv is missing'

python=$tools/venv/bin/python
if ! "$python" -c 'import httpx; from websockets.sync.client import connect' 2>>"$log"; then
    {
        rm -rf "$tools/venv"
        python3 -m venv "$tools/venv"
        "$python" -m pip install --quiet --disable-pip-version-check 'httpx>=0.27,<1' 'websockets>=15'
    } >>"$log" 2>&1 || missing 'could not install httpx and websockets'
fi
# Node.js before version 20 needs an older version of eventsource.
eventsource=eventsource@4
(($(node -p 'process.versions.node.split(".")[0]') >= 20)) || eventsource=eventsource@3
if ! (cd "$tools" && node -e '["ws", "eventsource", "event-source-polyfill"].forEach(require.resolve)') 2>>"$log"; then
    {
        cd "$tools"
        echo '{"private": true}' >package.json
        npm install --no-audit --no-fund ws@8 "$eventsource" event-source-polyfill@1
    } >>"$log" 2>&1 || missing 'could not install ws, eventsource and event-source-polyfill'
fi

exec "$python" "$here/main.py" "$binary" "$tools"

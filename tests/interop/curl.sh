#!/usr/bin/env bash
# Sends requests of many forms to a server with curl. Prints for each request whether the answer is
# correct.
#
#   tests/interop/curl.sh URL FOLDER     FOLDER is for temporary files
set -euo pipefail

url=$1
folder=$2
mkdir -p "$folder"
cd "$folder"

failed=0
ok() { printf 'ok curl: %s\n' "$1"; }
fail() {
    failed=1
    printf 'FAILED curl: %s: %s\n' "$1" "$(tr -d '\r' <<<"$2" | tr '\n' ' ' | head -c 400)"
}

json='Content-Type: application/json'
printf '{"message": "from curl", "location": "interop"}' >alert.json

# ask ARGUMENTS...: runs curl and sets `status`, `seconds`, `sent` (bytes of the body) and `code`
# (exit status of curl). Writes the files `head.txt` and `body.txt`.
ask() {
    local told
    : >head.txt
    : >body.txt
    : >complaint.txt
    code=0
    told=$(curl --silent --show-error --noproxy '*' --max-time 10 --dump-header head.txt --output body.txt \
        --write-out '%{http_code} %{time_total} %{size_upload}' "$@" 2>complaint.txt) || code=$?
    read -r status seconds sent <<<"$told"
}
described() {
    printf 'status %s, curl ended with %s after %s s, sent %s bytes: %s %s %s' "$status" "$code" "$seconds" "$sent" \
        "$(cat complaint.txt)" "$(cat head.txt)" "$(tr -d '\0' <body.txt | head -c 200)"
}
in_time() { awk -v took="$seconds" 'BEGIN { exit !(took < 1) }'; }
# expect NAME STATUSES ARGUMENTS...: fails unless curl succeeds within a second with one of the
# statuses.
expect() {
    local name=$1 statuses=$2
    shift 2
    ask "$@"
    judge "$name" "$statuses"
}
judge() {
    if [[ $code != 0 || " $2 " != *" $status "* ]]; then
        fail "$1" "expected status $2, got $(described)"
        return 1
    fi
    if ! in_time; then
        fail "$1" "took more than a second: $(described)"
        return 1
    fi
}
# check NAME STATUSES ARGUMENTS...: like expect, and prints `ok` if it succeeds.
check() {
    local name=$1 statuses=$2
    shift 2
    if expect "$name" "$statuses" "$@"; then ok "$name"; fi
}
has() { grep -qi -- "$2" "$1"; }

# HTTP/1.0

check 'HTTP/1.0 GET' 200 --http1.0 "$url/alerts"
check 'HTTP/1.0 POST' 200 --http1.0 -H "$json" --data-binary @alert.json "$url/alerts"
if expect 'HTTP/1.0 answer has no chunks' 200 --http1.0 "$url/alerts?limit=100"; then
    if has head.txt '^transfer-encoding'; then
        fail 'HTTP/1.0 answer has no chunks' "$(described)"
    else
        ok 'HTTP/1.0 answer has no chunks'
    fi
fi

# An event stream does not end, so curl stops after one second with the exit status 28.
for version in 1.0 1.1; do
    name="HTTP/$version event stream"
    ask "--http$version" --raw -N --max-time 1 "$url/events?last=1"
    if [[ $status != 200 || $code != 28 ]]; then
        fail "$name" "$(described)"
    elif ! has body.txt '"type":"live"'; then
        fail "$name" "the stream does not become live: $(described)"
    elif [[ $version == 1.0 ]] && has head.txt '^transfer-encoding'; then
        fail "$name" "an HTTP/1.0 answer must not have Transfer-Encoding: $(described)"
    elif [[ $version == 1.0 ]] && grep -qvE '^(:.*|(id|data|event|retry): .*)?$' body.txt; then
        fail "$name" "lines that are not part of a record: $(grep -vE '^(:.*|(id|data|event|retry): .*)?$' body.txt)"
    else
        ok "$name"
    fi
done

# HTTP/2

ignored() {
    local name=$1
    shift
    expect "$name" 200 --http2 "$@" || return 0
    if has head.txt '^upgrade:' || has head.txt '^connection:.*upgrade' || has head.txt '^HTTP/1.1 101'; then
        fail "$name" "the server accepted the offer: $(described)"
    else
        ok "$name"
    fi
}
ignored 'the offer of h2c on a GET is ignored' "$url/alerts"
ignored 'the offer of h2c on a POST is ignored' -H "$json" --data-binary @alert.json "$url/alerts"
ignored 'the offer of h2c on a POST in chunks is ignored' -H "$json" -H 'Transfer-Encoding: chunked' \
    --data-binary @alert.json "$url/alerts"

name='HTTP/2 with prior knowledge is refused within a second'
ask --http2-prior-knowledge "$url/alerts"
if [[ $code == 0 && $status == 200 ]] || ! in_time || [[ $code == 28 ]]; then
    fail "$name" "$(described)"
else
    ok "$name"
fi

# Expect: 100-continue

head -c 200000 /dev/zero | tr '\0' ' ' >large.json
cat alert.json >>large.json
continuing=(--expect100-timeout 5 -H 'Expect: 100-continue')
if expect 'Expect with a small body' 200 "${continuing[@]}" -H "$json" --data-binary @alert.json "$url/alerts"; then
    if has head.txt '^HTTP/1.1 100'; then
        ok 'Expect with a small body'
    else
        fail 'Expect with a small body' "the server did not send 100 Continue: $(described)"
    fi
fi
name='Expect with a body over the limit'
if expect "$name" 413 "${continuing[@]}" -H "$json" --data-binary @large.json "$url/alerts"; then
    if [[ $sent != 0 ]] || has head.txt '^HTTP/1.1 100'; then
        fail "$name" "the server asked for the body: $(described)"
    else
        ok "$name"
    fi
fi
check 'Expect with a wrong content type' 415 "${continuing[@]}" -H 'Content-Type: text/plain' \
    --data-binary @alert.json "$url/alerts"
check 'Expect at an unknown path' 404 "${continuing[@]}" -H "$json" --data-binary @alert.json "$url/unknown"
check 'a body over the limit without Expect' 413 -H 'Expect:' -H "$json" --data-binary @large.json "$url/alerts"

# Compression

name='a GET that accepts compressed answers'
if expect "$name" 200 --compressed "$url/alerts"; then
    if has body.txt '"alerts"'; then ok "$name"; else fail "$name" "$(described)"; fi
fi

# pack ENCODING: compresses standard input.
pack() {
    python3 -c '
import gzip, sys, zlib
content = sys.stdin.buffer.read()
packed = gzip.compress(content) if sys.argv[1] == "gzip" else zlib.compress(content)
sys.stdout.buffer.write(packed)' "$1"
}
pack gzip <alert.json >alert.gzip
pack deflate <alert.json >alert.deflate
zstd --quiet --stdout alert.json >alert.zstd
head -c 10485760 /dev/zero >zeros
pack gzip <zeros >bomb.gzip
pack deflate <zeros >bomb.deflate
zstd --quiet --stdout zeros >bomb.zstd
for encoding in gzip deflate zstd; do
    check "a POST in $encoding" 200 -H "$json" -H "Content-Encoding: $encoding" \
        --data-binary "@alert.$encoding" "$url/alerts"
    check "a POST in $encoding and chunks" 200 -H "$json" -H "Content-Encoding: $encoding" \
        -H 'Transfer-Encoding: chunked' --data-binary "@alert.$encoding" "$url/alerts"
    check "10 MiB of zeros in $encoding" 413 -H "$json" -H "Content-Encoding: $encoding" \
        --data-binary "@bomb.$encoding" "$url/alerts"
done
check 'a POST whose body is not gzip as stated' '400 415 422' -H "$json" -H 'Content-Encoding: gzip' \
    --data-binary @alert.json "$url/alerts"
name='a POST in an unknown encoding'
if expect "$name" 415 -H "$json" -H 'Content-Encoding: br' --data-binary @alert.json "$url/alerts"; then
    if has head.txt '^accept-encoding:.*gzip'; then
        ok "$name"
    else
        fail "$name" "the answer lacks Accept-Encoding with gzip: $(described)"
    fi
fi

# Chunks from a pipe, and OPTIONS *

check 'a POST in chunks from a pipe' 200 -X POST -H "$json" -T - "$url/alerts" <alert.json
check 'a POST of 200 KB in chunks from a pipe' 413 -X POST -H "$json" -T - "$url/alerts" <large.json
name='OPTIONS of the whole server'
if expect "$name" '200 204' -X OPTIONS --request-target '*' "$url"; then
    if has head.txt '^allow:'; then ok "$name"; else fail "$name" "the answer lacks Allow: $(described)"; fi
fi
check 'the server is ready after all requests' 200 "$url/health/ready"
exit "$failed"

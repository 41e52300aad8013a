"""Runs nginx and HAProxy in front of the server, each in five common configurations, and reloads them under load."""

import contextlib
import gzip
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

import lib
from lib import JSON, Server, ask, free_port, need, poster, shown, sse_stream, wait_until, ws_stream
from websockets.sync.client import connect

PUBLIC_HOST = "alerts.example.com"
# Seconds after which earlier versions of Northgate closed an idle connection. nginx reuses an idle
# connection for up to 60 s, so its next POST could fail.
RISKY_GAP = 30.0


def children(pid):
    """Returns the ids of the child processes of a process."""
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in tasks.read_text().split()]
        except OSError:
            pass
    return set(found)


class Proxy:
    """A proxy that runs in the foreground as a child process. A reload replaces its workers."""

    def __init__(self, folder, port):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.process = None

    def run(self, command):
        need(command[0], f"the program of {type(self).__name__} is not installed")
        with open(self.folder / "proxy.log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

        def answers():
            need(self.process.poll() is None, f"the proxy did not start: {self.log_tail()}")
            try:
                return ask(self.port, "GET", self.probe, headers=self.probe_headers)[0] == 200
            except OSError:
                return False

        wait_until(answers, "the proxy answers", 10)

    probe = "/"
    probe_headers = None

    def log_tail(self):
        return (self.folder / "proxy.log").read_text(errors="replace")[-400:]

    def reload(self):
        before = children(self.process.pid)
        self.send_reload()
        try:
            wait_until(
                lambda: (now := children(self.process.pid)) and not now & before,
                "the reload replaces the workers",
                10,
            )
        except lib.Failure as failure:
            raise lib.Failure(f"{failure}; {self.log_tail()}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is None:
            return
        # The workers exit with the main process.
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for pid in children(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()


class Nginx(Proxy):
    """nginx with one virtual server."""

    def __init__(self, folder, port, upstream, location, *, probe="/", probe_headers=None):
        super().__init__(folder, port)
        self.probe = probe
        self.probe_headers = probe_headers
        temporary = "\n".join(
            f"    {kind}_temp_path {self.folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        self.configuration = self.folder / "nginx.conf"
        self.configuration.write_text(f"""
{user}
worker_processes 2;
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log warn;
# A worker that was replaced cuts its streams after this time.
worker_shutdown_timeout 1s;
events {{ worker_connections 512; }}
http {{
{temporary}
    access_log {self.folder}/access.log;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        ''      close;
    }}
{upstream}
    server {{
        listen 127.0.0.1:{port};
{location}
    }}
}}
""")

    def start(self):
        self.run([shutil.which("nginx"), "-p", self.folder, "-c", self.configuration, "-e", self.folder / "error.log"])
        return self

    def send_reload(self):
        command = [shutil.which("nginx"), "-p", self.folder, "-c", self.configuration]
        command += ["-e", self.folder / "error.log", "-s", "reload"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        need(done.returncode == 0, f"nginx -s reload: {done.stderr}")

    def log_tail(self):
        tail = super().log_tail()
        log = self.folder / "error.log"
        return tail + (log.read_text(errors="replace")[-400:] if log.exists() else "")


class HaProxy(Proxy):
    """HAProxy as a master with a worker."""

    def __init__(self, folder, port, mode, backend):
        super().__init__(folder, port)
        self.configuration = self.folder / "haproxy.cfg"
        # The path of a socket must be short, so it is relative to the folder.
        self.configuration.write_text(f"""
global
    stats socket unix@haproxy.sock mode 600 level admin expose-fd listeners
    # A worker that was replaced cuts its streams after this time.
    hard-stop-after 1s
    maxconn 512
defaults
    mode {mode}
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    timeout http-request 10s
frontend in
    bind 127.0.0.1:{port}
    default_backend northgate
backend northgate
{backend}
""")

    def start(self):
        self.run([shutil.which("haproxy"), "-W", "-f", self.configuration])
        return self

    def send_reload(self):
        self.process.send_signal(signal.SIGUSR2)


# Checks that are the same for every proxy


def plain_requests(port, prefix="", headers=None):
    """Sends requests of every kind. Their answers must be the same as without a proxy."""
    own = headers or {}
    status, _, body = ask(port, "GET", prefix + "/", headers=own)
    need(status == 200, f"GET / is {status}: {shown(body)}")
    status, got, body = ask(port, "HEAD", prefix + "/alerts", headers=own)
    need(status == 200 and body == b"", f"HEAD /alerts is {status}: {shown(body)}")
    status, got, body = ask(port, "POST", prefix + "/alerts", b"{}", {**JSON, **own})
    need(status == 422, f"POST /alerts with {{}} is {status}: {shown(body)}")
    need(got.get("content-type") == "application/problem+json", f"a problem has the type {got.get('content-type')}")
    large = json.dumps({"message": "large", "location": "interop", "pad": "x" * 60_000}).encode()
    status, _, body = ask(port, "POST", prefix + "/alerts", large, {**JSON, **own})
    need(status == 200, f"a body of 60 KB is {status}: {shown(body)}")
    # http.client sends an iterable body in chunks.
    status, _, body = ask(port, "POST", prefix + "/alerts", iter([large]), {**JSON, **own})
    need(status == 200, f"a body of 60 KB in chunks is {status}: {shown(body)}")
    too_large = b" " * 200_000 + large
    for _ in range(3):
        status, _, body = ask(port, "POST", prefix + "/alerts", too_large, {**JSON, **own})
        need(status == 413, f"a body of 260 KB is {status}: {shown(body)}")
    status, got, body = ask(port, "GET", prefix + "/ws", headers=own)
    need(status == 426, f"GET /ws without an upgrade is {status}: {shown(body)}")


def arrives_at_once(server, stream):
    """A single alert must reach an idle stream within 2 s. A proxy that buffers would delay it."""
    stream.start()
    try:
        wait_until(stream.ready.is_set, f"{stream.name} opens its stream: {lib.told(stream)}", 10)
        sent = json.dumps({"message": lib.THE_END, "location": "interop"})
        status, _, content = ask(server.port, "POST", "/alerts", sent, JSON)
        need(status == 200, f"an alert is answered {status}: {shown(content)}")
        wait_until(stream.done.is_set, f"an alert arrives at {stream.name}", 2)
        need(stream.events == [json.loads(content)["id"]], f"the stream received {stream.events}; {lib.told(stream)}")
    finally:
        stream.stop()


def chat_comes_back(proxy):
    """Chat that a client sends on its WebSocket must pass the proxy in both directions."""
    host = (proxy.headers or {}).get("Host", f"127.0.0.1:{proxy.port}")
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as sock,
        connect(f"ws://{host}{proxy.prefix}/ws?types=chat", sock=sock, proxy=None, close_timeout=1) as stream,
    ):
        stream.send(json.dumps({"sender": "interop", "message": "hello"}))
        while True:
            event = json.loads(stream.recv(timeout=5))
            if event["type"] == "chat":
                need(event["message"] == "hello", f"expected the message hello, received {event}")
                return


def live_behind(results, name, server, proxy, streams, posters):
    """Runs the checks behind a proxy. Reloads, SIGTERM and SIGKILL must not lose or duplicate an alert."""

    with results.check(f"{name}: plain requests"):
        plain_requests(proxy.port, proxy.prefix, proxy.headers)
    for kind in [stream.name for stream in streams()]:
        with results.check(f"{name}: an alert arrives immediately over {kind}"):
            # Each check opens a new stream, which starts after the alerts of the previous checks.
            arrives_at_once(server, next(stream for stream in streams() if stream.name == kind))
        if kind == "WebSocket":
            with results.check(f"{name}: chat over WebSocket arrives at its sender"):
                chat_comes_back(proxy)
    with results.check(f"{name}: no alert lost or duplicated through a reload"):
        actors = lib.live_through(server, streams(), posters(), [proxy.reload])
        # The server ran all the time, so the proxy must not have answered with an error of its own.
        answered = {key: n for a in actors for key, n in a.refusals.items() if key.isdigit()}
        need(not answered, f"the proxy answered {answered} although the server was running")
    with results.check(f"{name}: no alert lost or duplicated through SIGTERM, SIGKILL and a reload"):
        lib.live_through(
            server, streams(), posters(), [server.restart_by_term, server.restart_by_kill, proxy.reload]
        )


def nginx_forms(server_port):
    """Maps a name to: upstream block, location block, whether WebSocket passes, path prefix, headers of clients."""
    address = f"127.0.0.1:{server_port}"
    upstream = f"    upstream up {{ server {address}; keepalive 16; }}"
    upgrade = """
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;"""
    return {
        "nginx, defaults": ("", f"location / {{ proxy_pass http://{address}; }}", False, "", None),
        "nginx, upgrade map": (
            "",
            f"location / {{ proxy_pass http://{address}; {upgrade} }}",
            True,
            "",
            None,
        ),
        "nginx, keep-alive upstream": (
            upstream,
            """location / {
            proxy_pass http://up;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }""",
            False,
            "",
            None,
        ),
        "nginx, path prefix": (
            upstream,
            f"location /northgate/ {{ proxy_pass http://up/; proxy_set_header Host $http_host; {upgrade} }}",
            True,
            "/northgate",
            None,
        ),
        "nginx, public host, unbuffered, gzip": (
            "",
            f"""gzip on;
        gzip_proxied any;
        gzip_min_length 1;
        gzip_types application/json text/event-stream;
        location / {{
            proxy_pass http://{address};
            proxy_buffering off;
            proxy_set_header Host $host; {upgrade}
        }}""",
            True,
            "",
            {"Host": PUBLIC_HOST},
        ),
    }


def check_nginx(results, binary, scratch):
    for number, name in enumerate(nginx_forms(0)):
        folder = Path(scratch) / f"nginx-{number}"
        with contextlib.ExitStack() as running:
            proxy = None
            with results.check(f"{name}: starts"):
                server = running.enter_context(Server(binary, folder / "server", "--public-host", PUBLIC_HOST))
                upstream, location, has_sockets, prefix, headers = nginx_forms(server.port)[name]
                made = running.enter_context(
                    Nginx(folder / "nginx", free_port(), upstream, location, probe=prefix + "/", probe_headers=headers)
                )
                made.prefix, made.headers = prefix, headers
                proxy = made.start()
            if proxy is None:
                continue
            own = {"prefix": prefix, "headers": headers}

            def streams():
                begin = server.position()
                made = [sse_stream(proxy.port, "SSE", begin, **own)]
                if "gzip" in name:
                    made.append(sse_stream(proxy.port, "SSE in gzip", begin, gzip=True, **own))
                if has_sockets:
                    host = headers["Host"] if headers else None
                    made.append(ws_stream(proxy.port, "WebSocket", begin, prefix=prefix, host=host))
                return made

            def posters():
                made = [poster(proxy.port, f"sender {n}", pause=0.02, **own) for n in (1, 2, 3)]
                return [*made, poster(proxy.port, "sender 4", pause=0.02, fresh=True, **own)]

            live_behind(results, name, server, proxy, streams, posters)
            if prefix:
                check_prefix(results, name, proxy.port, prefix)
            if "gzip" in name:
                check_gzip(results, name, proxy.port, headers)


def check_prefix(results, name, port, prefix):
    """Every link, resolved as a client resolves it, must stay below the prefix and be answered with 200."""

    def below(base, link):
        whole = urllib.parse.urljoin(f"http://127.0.0.1:{port}{base}", link)
        parts = urllib.parse.urlsplit(whole)
        need(
            parts.netloc == f"127.0.0.1:{port}" and parts.path.startswith(prefix + "/"),
            f"the link {link!r} of {base} leads to {whole}",
        )
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        status, headers, content = ask(port, "GET", path)
        need(status == 200, f"the link {link!r} of {base} leads to {path}, which is {status}: {shown(content)}")
        return path, headers, content

    for number in range(3):
        ask(port, "POST", prefix + "/alerts", json.dumps(lib.alert("page", number)), JSON)
        sent = json.dumps({"sender": "interop", "message": f"page {number}"})
        ask(port, "POST", prefix + "/message/", sent, JSON)
    for collection in ("/alerts", "/alerts/", "/alerts/history", "/alerts/history/", "/message", "/message/"):
        with results.check(f"{name}: next and previous of {collection} stay below the prefix"):
            first = f"{prefix}{collection}?limit=1"
            page = json.loads(ask(port, "GET", first)[2])
            need(page["previous"], f"the page has no previous: {shown(json.dumps(page).encode())}")
            path, _, older = below(first, page["previous"])
            older = json.loads(older)
            need(older["next"], f"the page has no next: {shown(json.dumps(older).encode())}")
            below(path, older["next"])
    for page in ("/docs", "/docs/"):
        with results.check(f"{name}: links of {page} stay below the prefix"):
            status, headers, content = ask(port, "GET", prefix + page)
            links = links_of(headers, content)
            need(status == 200 and links, f"{page} is {status} and has the links {links}")
            for link in links:
                below(prefix + page, link)
    for page in ("/redoc", "/redoc/"):
        with results.check(f"{name}: the redirect of {page} stays below the prefix"):
            status, headers, content = ask(port, "GET", prefix + page)
            need(status in (301, 302, 303, 307, 308), f"{page} is {status}: {shown(content)}")
            path, headers, content = below(prefix + page, headers["location"])
            for link in links_of(headers, content):
                below(path, link)
    with results.check(f"{name}: the OpenAPI document lists addresses below the prefix"):
        status, _, content = ask(port, "GET", prefix + "/openapi.json")
        need(status == 200, f"/openapi.json is {status}")
        servers = json.loads(content).get("servers", [{"url": "/"}])
        address = urllib.parse.urljoin(f"{prefix}/openapi.json", servers[0]["url"])
        need(
            address.rstrip("/") == prefix or address.startswith(prefix + "/"),
            f"servers is {servers}, which is {address!r} for a page below {prefix}",
        )


def links_of(headers, content):
    """Returns the links of an HTML page, except links to other hosts."""
    if not headers.get("content-type", "").startswith("text/html"):
        return []
    links = re.findall(rb"(?:href|src)=[\"']?([^\"' >]+)", content)
    return [link.decode() for link in links if not re.match(rb"[a-z]+:|//|#", link)]


def check_gzip(results, name, port, headers):
    with results.check(f"{name}: answers are compressed if the client accepts gzip"):
        status, got, body = ask(port, "GET", "/alerts", headers={**headers, "Accept-Encoding": "gzip"})
        need(status == 200 and got.get("content-encoding") == "gzip", f"{status} with {got}")
        need("alerts" in json.loads(gzip.decompress(body)), "the compressed answer has no alerts")
        status, got, body = ask(port, "GET", "/alerts", headers=headers)
        need("content-encoding" not in got and "alerts" in json.loads(body), f"{status} with {got}")


def check_idle_upstream(results, binary, scratch):
    """Sends each POST once, over idle connections that nginx reuses and that the server may close at the same time."""
    name = "nginx, keep-alive upstream: 300 POSTs with idle gaps, none is 502"
    folder = Path(scratch) / "nginx-idle"
    draw = random.Random(300)
    with results.check(name), Server(binary, folder / "server") as server:
        upstream, location, *_ = nginx_forms(server.port)["nginx, keep-alive upstream"]
        with Nginx(folder / "nginx", free_port(), upstream, location).start() as proxy:
            begin = server.position()
            answered = []
            for number in range(300):
                body = json.dumps(lib.alert("idle", number))
                status, _, content = ask(proxy.port, "POST", "/alerts", body, JSON)
                need(status == 200, f"POST {number} is {status}: {shown(content)}")
                answered.append(json.loads(content)["id"])
                # This check is about idle gaps. Two of the gaps end just before an earlier version
                # of Northgate closed an idle connection.
                gap = draw.uniform(0, 0.3)
                if number in (100, 200):
                    gap = RISKY_GAP - 0.001
                time.sleep(gap)
            lib.compare("answered", answered, server.alerts_after(begin))


HAPROXY_FORMS = {
    "haproxy, keep-alive": ("http", "    option http-keep-alive\n    server one {address}"),
    "haproxy, server close": ("http", "    option http-server-close\n    server one {address}"),
    "haproxy, reuse always": (
        "http",
        "    http-reuse always\n    server one {address} pool-max-conn 16 pool-purge-delay 60s",
    ),
    "haproxy, health checks": (
        "http",
        "    option httpchk GET /health/ready\n    http-check send hdr Host localhost\n"
        "    timeout tunnel 1h\n    server one {address} check inter 200ms fall 2 rise 1",
    ),
    "haproxy, tcp": ("tcp", "    server one {address}"),
}


def check_haproxy(results, binary, scratch):
    for number, (name, (mode, backend)) in enumerate(HAPROXY_FORMS.items()):
        folder = Path(scratch) / f"haproxy-{number}"
        with contextlib.ExitStack() as running:
            proxy = None
            with results.check(f"{name}: starts"):
                server = running.enter_context(Server(binary, folder / "server"))
                own = backend.format(address=f"127.0.0.1:{server.port}")
                made = running.enter_context(HaProxy(folder / "haproxy", free_port(), mode, own))
                made.prefix, made.headers = "", None
                proxy = made.start()
            if proxy is None:
                continue

            def streams():
                begin = server.position()
                return [
                    sse_stream(proxy.port, "SSE", begin),
                    ws_stream(proxy.port, "WebSocket", begin),
                ]

            def posters():
                made = [poster(proxy.port, f"sender {n}", pause=0.02) for n in (1, 2, 3)]
                return [*made, poster(proxy.port, "sender 4", pause=0.02, fresh=True)]

            live_behind(results, name, server, proxy, streams, posters)

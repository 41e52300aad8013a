"""Checks with Python clients (httpx, websockets on asyncio, http.client) and with exact request bytes."""

import asyncio
import contextlib
import http.client
import json
import re
import socket
import time
import urllib.parse
import uuid

import httpx
import lib
import websockets
from lib import JSON, Server, ThreadActor, need, poster, shown, take_event


def httpx_poster(url, name):
    """Posts through one pool, with gaps, and retries with the same key if there was no answer."""

    def body(actor):
        actor.tell("ready")
        with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
            number = 0
            while not actor.halt.is_set() and number < 2000:
                number += 1
                headers = {"Idempotency-Key": str(uuid.uuid4())}
                deadline = time.monotonic() + 20
                while True:
                    need(time.monotonic() < deadline, f"no 2xx for alert {number} within 20 s")
                    try:
                        answer = client.post("/alerts", json=lib.alert(name, number), headers=headers)
                    except httpx.TransportError as error:
                        actor.tell(f"answer {type(error).__name__}")
                        time.sleep(0.02)
                        continue
                    if answer.status_code == 200:
                        actor.tell("acked " + answer.json()["id"])
                        break
                    actor.tell(f"answer {answer.status_code}")
                    need(answer.status_code == 503, f"alert {number} was answered {answer.status_code}: {answer.text}")
                    time.sleep(0.02)
                # Every 20th gap is longer, so that connections become idle in the pool.
                actor.halt.wait(0.3 if number % 20 == 0 else 0.01)

    return ThreadActor(name, body)


def httpx_stream(url, name, after):
    def body(actor):
        last = after
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            while not actor.halt.is_set():
                try:
                    with client.stream("GET", "/events", params={"types": "alert", "after": last}) as answer:
                        need(answer.status_code == 200, f"/events was answered {answer.status_code}")
                        data = None
                        for line in answer.iter_lines():
                            if line.startswith("data: "):
                                data = line[6:]
                            elif line == "" and data is not None:
                                position, is_last = take_event(actor, json.loads(data))
                                last = position or last
                                data = None
                                if is_last:
                                    return
                except httpx.TransportError:
                    actor.refusals["cut"] += 1
                    time.sleep(0.02)

    return ThreadActor(name, body)


def asyncio_socket(url, name, after):
    async def stream(actor):
        last = after
        while not actor.halt.is_set():
            query = urllib.parse.urlencode({"types": "alert", "after": last})
            wait = 0.02
            try:
                address = f"{url.replace('http', 'ws', 1)}/ws?{query}"
                async with websockets.connect(address, proxy=None, close_timeout=1) as connection:
                    async for message in connection:
                        position, is_last = take_event(actor, json.loads(message))
                        last = position or last
                        if is_last:
                            return
                    # After a Close frame with 1001 the loop ends without an exception.
                    reason = connection.close_reason
                    need(connection.close_code == 1001, f"closed with {connection.close_code} {reason}")
                    need(reason.startswith("retry_after_ms="), f"closed with {reason!r}")
                    wait = min(int(reason.split("=")[1].split(";")[0]) / 1000, 5)
            except (OSError, EOFError, websockets.WebSocketException):
                actor.refusals["cut"] += 1
            await asyncio.sleep(wait)

    return ThreadActor(name, lambda actor: asyncio.run(stream(actor)))


def check_clients(results, binary, scratch):
    with results.check("python: server for the clients"), Server(binary, scratch / "python") as server:
        with results.check("python: httpx, websockets and http.client through SIGTERM and SIGKILL"):
            begin = server.position()
            streams = [
                httpx_stream(server.url, "httpx.stream", begin),
                asyncio_socket(server.url, "websockets", begin),
                lib.sse_stream(server.port, "http.client", begin),
            ]
            posters = [
                httpx_poster(server.url, "httpx.Client"),
                poster(server.port, "http.client, kept", pause=0.02),
                poster(server.port, "http.client, fresh", pause=0.02, fresh=True),
            ]
            lib.live_through(server, streams, posters, [server.restart_by_term, server.restart_by_kill])
        with results.check("python: httpx.Client uses one connection for POSTs with idle gaps"):
            begin = server.position()
            made = []

            def count(name, _):
                if name == "connection.connect_tcp.complete":
                    made.append(name)

            answered = []
            with httpx.Client(base_url=server.url, trust_env=False) as client:
                for number in range(40):
                    # This check is about idle gaps. The longest gap is shorter than 5 s, after
                    # which httpx closes an idle connection.
                    time.sleep({10: 1, 20: 2, 30: 4.5}.get(number, 0.01))
                    answer = client.post("/alerts", json=lib.alert("gap", number), extensions={"trace": count})
                    need(answer.status_code == 200, f"POST {number} is {answer.status_code}: {answer.text}")
                    answered.append(answer.json()["id"])
            need(len(made) == 1, f"{len(made)} connections were opened instead of one")
            lib.compare("answered", answered, server.alerts_after(begin))
        with results.check("python: http.client can reuse a connection after every kind of answer"):
            check_kept_connection(server)
        check_bytes(results, server)


def check_kept_connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with contextlib.closing(connection):
        connection.connect()
        first = connection.sock
        for method, path, sent, headers, expected in [
            ("GET", "/", None, {}, 200),
            ("HEAD", "/alerts", None, {}, 200),
            ("POST", "/alerts", json.dumps(lib.alert("kept", 1)), JSON, 200),
            ("POST", "/alerts", "{}", JSON, 422),
            ("POST", "/alerts", "{", JSON, 400),
            ("POST", "/alerts", "hello", {"Content-Type": "text/plain"}, 415),
            ("POST", "/nothing", "{}", JSON, 404),
            ("DELETE", "/alerts", None, {}, 405),
            ("GET", "/alerts?limit=x", None, {}, 400),
            ("OPTIONS", "/alerts", None, {}, (200, 204)),
            ("POST", "/alerts", iter([json.dumps(lib.alert("kept", 2)).encode()]), JSON, 200),
        ]:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            content = answer.read()
            wanted = expected if isinstance(expected, tuple) else (expected,)
            need(answer.status in wanted, f"{method} {path} is {answer.status}: {shown(content)}")
            need(connection.sock is first, f"the connection was closed after {method} {path} ({answer.status})")


def read_until(connection, end):
    got = bytearray()
    while end not in got:
        some = connection.recv(65536)
        need(some, f"the connection was closed after {shown(got)}")
        got += some
    return bytes(got)


def read_answer(connection):
    """Reads one complete answer, which must have a Content-Length."""
    got = read_until(connection, b"\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
    need(length, f"the answer has no length: {shown(head, 1000)}")
    while len(body) < int(length[1]):
        some = connection.recv(65536)
        need(some, f"the connection was closed after {shown(got)}")
        body += some
    return head + b"\r\n\r\n" + body


def check_bytes(results, server):
    """Sends the same request bytes as Java and curl, and checks the bytes of the answers."""
    offer = (
        b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
        b"Upgrade: h2c\r\n"
    )
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    alert = json.dumps(lib.alert("bytes", 1)).encode()
    json_type = b"Content-Type: application/json\r\n"
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(alert), alert)
    length = b"Content-Length: %d\r\n" % len(alert)
    requests = {
        "a GET": b"GET /alerts HTTP/1.1\r\n" + host + offer + b"\r\n",
        "a POST with a length": b"POST /alerts HTTP/1.1\r\n" + host + offer + json_type + length + b"\r\n" + alert,
        "a POST in chunks": (
            b"POST /alerts HTTP/1.1\r\n" + host + offer + json_type + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
        ),
        "an event stream": b"GET /events?last=0 HTTP/1.1\r\n" + host + offer + b"\r\n",
    }
    for name, request in requests.items():
        with results.check(f"bytes: the offer of h2c on {name} is ignored"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(request)
                if b"/events" in request:
                    got = read_until(connection, b"\n\n")
                else:
                    got = read_answer(connection)
                need(got.startswith(b"HTTP/1.1 200 "), f"sent {shown(request)}, got {shown(got)}")
                fields = got.split(b"\r\n\r\n")[0].lower().split(b"\r\n")[1:]
                named = [line for line in fields if line.startswith((b"connection:", b"upgrade:"))]
                need(not any(b"upgrade" in line for line in named), f"sent {shown(request)}, got {named}")
                if b"/events" not in request:
                    # The server can answer a second request only if it read exactly the bytes of
                    # the first one.
                    connection.sendall(b"GET /health/live HTTP/1.1\r\n" + host + b"\r\n")
                    got = read_answer(connection)
                    need(got.startswith(b"HTTP/1.1 200 "), f"the next request on the connection got {shown(got)}")
    with results.check("bytes: the HTTP/2 preface is refused within a second"):
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
        with socket.create_connection(("127.0.0.1", server.port), timeout=1) as connection:
            connection.sendall(preface)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while some := connection.recv(65536):
                    got += some
            need(re.match(rb"(HTTP/1\.[01] (4\d\d|505) |$)", got), f"sent {shown(preface)}, got {shown(got)}")
    with results.check("bytes: an HTTP/1.0 event stream has no chunks and ends with the connection"):
        check_old_stream(server, host)


def check_old_stream(server, host):
    """Reads an HTTP/1.0 stream until the server stops, which ends the stream."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(b"GET /events?last=1 HTTP/1.0\r\n" + host + b"\r\n")
        got = bytearray()

        def read():
            some = connection.recv(65536)
            got.extend(some)
            return some

        while b'"type":"live"' not in got:
            need(read(), f"the stream ended before the live event: {shown(got, 1000)}")
        server.restart_by_term()
        while read():
            pass
    head, _, body = bytes(got).partition(b"\r\n\r\n")
    need(b"transfer-encoding" not in head.lower(), f"the head has transfer-encoding: {shown(head, 1000)}")
    need(b"content-length" not in head.lower(), f"the head has a length: {shown(head, 1000)}")
    need(b"keep-alive" not in head.lower(), f"the head contains keep-alive: {shown(head, 1000)}")
    need(body.startswith((b"retry:", b":")), f"the body does not begin with a record: {shown(body)}")
    need(body.endswith(b"\n\n"), f"the body does not end with a record: {shown(body[-100:])}")
    for line in body.decode().split("\n"):
        name = line.partition(":")[0]
        need(name in ("", "id", "data", "event", "retry"), f"the body has an unexpected line: {line[:80]!r}")

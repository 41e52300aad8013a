"""Shared code of the interoperability checks: the server, results, clients, and their common scenario."""

import collections
import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
import traceback
import urllib.parse
import uuid
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
THE_END = "the end"
JSON = {"Content-Type": "application/json"}


class Failure(Exception):
    """A failed check. Its text is the reason."""


def need(holds, why):
    if not holds:
        raise Failure(why)


def wait_until(holds, what, seconds=20.0):
    """Polls until `holds()` returns true. Fails if this does not happen within `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        need(time.monotonic() < deadline, f"did not happen within {seconds:g} s: {what}")
        time.sleep(0.01)


def shown(raw, most=300):
    """Returns the first bytes of `raw` as text for a failure message."""
    return repr(bytes(raw[:most])) + (" and more" if len(raw) > most else "")


# Results


class Results:
    """Prints one line for each check, in the order in which the checks end."""

    def __init__(self):
        self._lock = threading.Lock()
        self.passed = 0
        self.failed = []

    def ok(self, name):
        with self._lock:
            self.passed += 1
            print(f"ok {name}", flush=True)

    def fail(self, name, why):
        why = " ".join(str(why).split())
        with self._lock:
            self.failed.append(name)
            print(f"FAILED {name}: {why}", flush=True)

    @contextlib.contextmanager
    def check(self, name):
        """Reports an exception inside the block as a failure of this check and does not raise it again."""
        try:
            yield
        except Failure as failure:
            self.fail(name, failure)
        except Exception as error:  # a failed check must not end the others
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            self.fail(name, f"{type(error).__name__}: {error} ({where})")
        else:
            self.ok(name)

    def take_lines(self, output, name, status):
        """Adds the results of a program that prints its results in the form of this class."""
        taken = 0
        for line in output.splitlines():
            if line.startswith("ok "):
                self.ok(line[3:])
                taken += 1
            elif line.startswith("FAILED "):
                what, _, why = line[7:].partition(": ")
                self.fail(what, why)
                taken += 1
        if taken == 0 or status not in (0, 1):
            self.fail(name, f"exited with {status} after {taken} results: {output[-300:]}")


# The server


_ports_given = set()
_ports_lock = threading.Lock()


def free_port():
    """Returns a free port of the loopback address that was not returned before."""
    with _ports_lock:
        for _ in range(100):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in _ports_given:
                _ports_given.add(port)
                return port
    raise Failure("found no free port")


def clean_environment():
    """Returns the environment without the settings of Northgate and without the proxies of this machine."""
    dropped = ("NORTHGATE__", "CORS_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        kept.pop(name, None)
    return kept


class Server:
    """One server with its data on disk. It can be stopped or killed, and restarts on the same port."""

    def __init__(self, binary, folder, *options):
        self.binary = str(binary)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.options = list(options)
        self.port = free_port()
        self.process = None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [self.binary, "--data", str(self.folder / "data"), "--generator-interval", "off"]
        command += ["--port", str(self.port), *self.options]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        line = self.process.stdout.readline().decode().strip()
        if line != self.url:
            self.kill()
            raise Failure(f"the server did not start: {line!r}, {self.log_tail()}")

    def log_tail(self):
        return (self.folder / "server.log").read_text(errors="replace")[-400:]

    def stop(self):
        """Sends SIGTERM. The server must exit with status 0 within 10 s."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("the server did not exit within 10 s after SIGTERM") from None
        self.process.stdout.close()
        need(status == 0, f"the server exited with {status} after SIGTERM: {self.log_tail()}")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def restart_by_term(self):
        self.stop()
        self.start()

    def restart_by_kill(self):
        self.kill()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def get(self, path):
        status, _, body = ask(self.port, "GET", path)
        need(status == 200, f"GET {path} was answered {status}: {shown(body)}")
        return json.loads(body)

    def position(self):
        return self.get("/alerts?limit=1")["position"]

    def alerts_after(self, position):
        """Returns the ids of all alerts after a position, in the order of their positions."""
        ids = []
        path = "/alerts?" + urllib.parse.urlencode({"after": position, "limit": 1000, "order": "asc"})
        while path is not None:
            page = self.get(path)
            ids += [alert["id"] for alert in page["alerts"]]
            following = page["next"]
            path = None
            if following is not None:
                whole = urllib.parse.urlsplit(urllib.parse.urljoin(self.url + "/alerts", following))
                path = f"{whole.path}?{whole.query}"
        return ids


def ask(port, method, path, body=None, headers=None, timeout=10):
    """Sends one request on a new connection. Returns the status, headers with lower-case names, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content
    finally:
        connection.close()


# Actors: clients that stream, and clients that post


class Actor:
    """The record of a client's answers and events. Threads and programs report both as lines of the same form."""

    def __init__(self, name):
        self.name = name
        self.events = []
        self.acknowledged = []
        self.refusals = collections.Counter()
        self.errors = []
        self.connects = 0
        self.ready = threading.Event()
        self.done = threading.Event()
        self.halt = threading.Event()

    def tell(self, line):
        word, _, rest = line.strip().partition(" ")
        if word == "ready":
            self.connects += 1
            self.ready.set()
        elif word == "event":
            self.events.append(rest.split(" ")[0])
        elif word == "acked":
            self.acknowledged.append(rest)
        elif word == "answer":
            self.refusals[rest] += 1
        elif word == "done":
            self.done.set()
        elif word == "error":
            self.errors.append(rest)


class ThreadActor(Actor):
    """A client that runs as a thread: calls `body(actor)`, which returns when the client is done."""

    def __init__(self, name, body):
        super().__init__(name)
        self._body = body
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def _run(self):
        try:
            self._body(self)
        except Exception as error:  # reported by the check that waits for this client
            self.errors.append(f"{type(error).__name__}: {error}")
        self.done.set()

    def stop(self):
        self.halt.set()


class ProgramActor(Actor):
    """A client that runs as a program. It stops posting when its standard input ends."""

    def __init__(self, name, command, cwd=None, env=None):
        super().__init__(name)
        self._command = [str(part) for part in command]
        self._cwd = cwd
        self._env = env
        self._process = None

    def start(self):
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=self._env or clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._complaints, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self.tell(line)
        self._process.wait()
        self.done.set()

    def _complaints(self):
        # Retained for failure messages. Not every line is an error: a polyfill reports every lost
        # connection here.
        self.complaints = collections.deque(self._process.stderr, maxlen=5)

    def stop(self):
        self.halt.set()
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def alert(name, number):
    return {"message": f"{name} {number}", "location": "interop"}


def poster(port, name, *, prefix="", headers=None, pause=0.01, most=2000, fresh=False):
    """A client that posts until it is stopped, and retries each alert with the same key until it is accepted."""

    def body(actor):
        connection = None
        actor.tell("ready")
        for number in itertools.count():
            if actor.halt.is_set() or number >= most:
                break
            sent = json.dumps(alert(name, number)).encode()
            key = {"Idempotency-Key": str(uuid.uuid4())}
            deadline = time.monotonic() + 20
            while True:
                need(time.monotonic() < deadline, f"no 2xx for alert {number} within 20 s")
                try:
                    if connection is None:
                        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                    connection.request("POST", prefix + "/alerts", sent, {**JSON, **key, **(headers or {})})
                    answer = connection.getresponse()
                    content = answer.read()
                except (OSError, http.client.HTTPException) as error:
                    actor.refusals[type(error).__name__] += 1
                    connection.close()
                    connection = None
                    time.sleep(0.02)
                    continue
                if fresh or answer.will_close:
                    connection.close()
                    connection = None
                if 200 <= answer.status < 300:
                    actor.tell("acked " + json.loads(content)["id"])
                    break
                actor.tell(f"answer {answer.status}")
                need(answer.status in (502, 503, 504), f"alert {number} was answered {answer.status}: {shown(content)}")
                time.sleep(0.02)
            actor.halt.wait(pause)
        if connection is not None:
            connection.close()

    return ThreadActor(name, body)


class SseParser:
    """Parses server-sent events into records of fields. Ignores a record without its final empty line."""

    def __init__(self):
        self._rest = b""
        self._fields = {}

    def feed(self, some):
        *lines, self._rest = (self._rest + some).split(b"\n")
        for line in lines:
            if line == b"":
                if "data" in self._fields:
                    yield self._fields
                self._fields = {}
            elif not line.startswith(b":"):
                name, _, value = line.decode().partition(":")
                self._fields[name] = value.removeprefix(" ")


def take_event(actor, event):
    """Reports one event of a stream to an actor. Returns its position and whether it is the last event."""
    kind = event.get("type")
    if kind == "resume":
        if event["outcome"] != "complete":
            actor.tell("error the server reported a gap, but no event is missing")
        actor.tell("ready")
    elif kind == "alert":
        actor.tell(f"event {event['id']} {event['position']}")
    return event.get("position"), event.get("message") == THE_END


def sse_stream(port, name, after, *, prefix="", headers=None, gzip=False):
    """A client of /events with the standard library. It resumes after its last position."""

    def body(actor):
        last = after
        while not actor.halt.is_set():
            query = urllib.parse.urlencode({"types": "alert", "after": last})
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                asked = {"Accept": "text/event-stream", **(headers or {})}
                if gzip:
                    asked["Accept-Encoding"] = "gzip"
                connection.request("GET", f"{prefix}/events?{query}", headers=asked)
                answer = connection.getresponse()
                if answer.status != 200:
                    actor.tell(f"answer {answer.status}")
                    need(answer.status in (502, 503, 504), f"/events was answered {answer.status}")
                    answer.read()
                    time.sleep(0.02)
                    continue
                is_packed = answer.getheader("Content-Encoding") == "gzip"
                actor.was_packed = is_packed
                unpack = zlib.decompressobj(wbits=31).decompress if is_packed else bytes
                parser = SseParser()
                while some := answer.read1(65536):
                    for record in parser.feed(unpack(some)):
                        event = json.loads(record["data"])
                        position, is_last = take_event(actor, event)
                        need(position is None or record.get("id") == position, f"the id is not the position: {record}")
                        last = position or last
                        if is_last:
                            return
            except (OSError, http.client.HTTPException):
                actor.refusals["cut"] += 1
                time.sleep(0.02)
            finally:
                connection.close()

    return ThreadActor(name, body)


def ws_stream(port, name, after, *, prefix="", host=None):
    """A client of /ws with the library `websockets`. It resumes after its last position."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
    from websockets.sync.client import connect

    def body(actor):
        last = after
        authority = host or f"127.0.0.1:{port}"
        while not actor.halt.is_set():
            query = urllib.parse.urlencode({"types": "alert", "after": last})
            try:
                sock = socket.create_connection(("127.0.0.1", port), timeout=10)
                sock.settimeout(None)
                uri = f"ws://{authority}{prefix}/ws?{query}"
                with connect(uri, sock=sock, proxy=None, close_timeout=1) as stream:
                    for message in stream:
                        position, is_last = take_event(actor, json.loads(message))
                        last = position or last
                        if is_last:
                            return
            except InvalidStatus as refused:
                status = refused.response.status_code
                actor.tell(f"answer {status}")
                need(status in (502, 503, 504), f"/ws was answered {status}")
                time.sleep(0.02)
            except (OSError, EOFError, ConnectionClosed, InvalidMessage, InvalidHandshake):
                actor.refusals["cut"] += 1
                time.sleep(0.02)

    return ThreadActor(name, body)


# The scenario


def live_through(server, streams, posters, disturbances, *, each=40, seconds=45):
    """Posts and streams through disturbances, and then compares the answered, stored and received alerts.

    `disturbances` are functions. Before, between and after them, at least `each` alerts are answered
    and every stream receives an event. `streams` start after the position that they were created with.
    """
    begin = server.position()
    actors = [*streams, *posters]
    try:
        for actor in streams:
            actor.start()
        for actor in streams:
            wait_until(lambda a=actor: a.ready.is_set() or a.done.is_set(), f"{actor.name} opens its stream", 20)
            need(not actor.done.is_set(), f"{actor.name} ended immediately: {told(actor)}")
        for actor in posters:
            actor.start()
        for disturbance in [*disturbances, None]:
            answered = [len(p.acknowledged) for p in posters]
            seen = [len(s.events) for s in streams]

            def moved(answered=answered, seen=seen):
                for actor in posters:
                    need(not actor.done.is_set(), f"{actor.name} ended early: {told(actor)}")
                    need(not actor.errors, f"{actor.name}: {told(actor)}")
                goal = sum(answered) + each
                all_seen = all(len(s.events) > was for s, was in zip(streams, seen))
                all_heard = all(len(p.acknowledged) > was for p, was in zip(posters, answered))
                return sum(len(p.acknowledged) for p in posters) >= goal and all_seen and all_heard

            try:
                wait_until(moved, "every poster is answered and every stream receives an event", 25)
            except Failure as failure:
                raise Failure(f"{failure}; {'; '.join(told(a) for a in actors)}") from None
            if disturbance is not None:
                disturbance()
        for actor in posters:
            actor.stop()
        for actor in posters:
            wait_until(actor.done.is_set, f"{actor.name} stops", 25)
            need(not actor.errors, f"{actor.name}: {told(actor)}")
        sent = json.dumps({"message": THE_END, "location": "interop"})
        status, _, content = ask(server.port, "POST", "/alerts", sent, JSON)
        need(status == 200, f"the last alert was answered {status}: {shown(content)}")
        last = json.loads(content)["id"]
        kept = server.alerts_after(begin)
        answered = [i for p in posters for i in p.acknowledged] + [last]
        compare("stored, compared with answered", sorted(kept), sorted(answered))
        failures = []
        for actor in streams:
            try:
                wait_until(actor.done.is_set, f"{actor.name} receives the last alert", seconds)
                need(not actor.errors, f"{actor.name}: {told(actor)}")
                compare(actor.name, actor.events, kept)
            except Failure as failure:
                failures.append(f"{failure} ({told(actor)})")
        need(not failures, "; ".join(failures))
        return actors
    finally:
        for actor in actors:
            actor.halt.set()
            if isinstance(actor, ProgramActor):
                actor.end()


def told(actor):
    text = f"{actor.name}: {len(actor.events)} received, {len(actor.acknowledged)} answered, {actor.connects} connects"
    if actor.refusals:
        text += f", {dict(actor.refusals)}"
    if actor.errors:
        text += f", errors: {actor.errors[:3]}"
    complaints = list(getattr(actor, "complaints", []))
    if complaints:
        text += f", last line of stderr: {complaints[-1].strip()[:200]}"
    return text


def compare(who, seen, kept):
    """Fails with the number of differences unless both lists are equal."""
    if seen == kept:
        return
    counts = collections.Counter(seen)
    doubled = sum(count - 1 for count in counts.values() if count > 1)
    missing = sum(1 for i in kept if i not in counts)
    strange = sum(1 for i in counts if i not in set(kept))
    raise Failure(
        f"{who}: {len(seen)} of {len(kept)} alerts: {missing} missing, {doubled} duplicated, "
        f"{strange} unexpected{'' if missing or doubled or strange else ', in another order'}"
    )

"""Runs the Java and Node clients through restarts of the server, and the script of curl requests."""

import shutil
import subprocess
from pathlib import Path

import lib
from lib import HERE, ProgramActor, Server, need, poster


def check_java(results, binary, scratch):
    classes = Path(scratch) / "classes"
    built = subprocess.run(
        ["javac", "-d", classes, HERE / "java_client" / "Client.java"], capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        results.fail("java: the client compiles", built.stderr)
        return
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classes, "Client"]
    with results.check("java: server"), Server(binary, Path(scratch) / "java") as server:
        done = subprocess.run(
            [*java, "probe", server.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=lib.clean_environment(),
        )
        results.take_lines(done.stdout, "java: single requests", done.returncode)
        with results.check("java: WebSocket, SSE and POSTs with a length, through SIGTERM and SIGKILL"):
            begin = server.position()
            streams = [ProgramActor(f"java {m}", [*java, m, server.url, begin]) for m in ("ws", "sse")]
            posters = [ProgramActor("java post-string", [*java, "post-string", server.url])]
            lib.live_through(server, streams, posters, [server.restart_by_term, server.restart_by_kill])
        with results.check("java: POSTs in chunks, through SIGTERM and SIGKILL"):
            posters = [ProgramActor("java post-stream", [*java, "post-stream", server.url])]
            streams = [lib.ws_stream(server.port, "websockets", server.position())]
            lib.live_through(server, streams, posters, [server.restart_by_term, server.restart_by_kill])


def check_node(results, binary, scratch, tools):
    node = ["node", HERE / "node_clients.mjs"]
    with results.check("node: server"), Server(binary, Path(scratch) / "node") as server:
        with results.check("node: streams by ws and fetch, POSTs by fetch and an agent, through SIGTERM and SIGKILL"):
            begin = server.position()
            streams = [ProgramActor(f"node {m}", [*node, m, server.url, begin], tools) for m in ("ws", "fetch")]
            posters = [ProgramActor(f"node {m}", [*node, m, server.url], tools) for m in ("post-fetch", "post-agent")]
            lib.live_through(server, streams, posters, [server.restart_by_term, server.restart_by_kill])


def check_event_sources(results, binary, scratch, tools):
    for number, name in enumerate(("eventsource", "event-source-polyfill")):
        folder = Path(scratch) / f"event-source-{number}"
        with results.check(f"{name}: server"), Server(binary, folder) as server:
            # A client that reconnects repeats `after` or `last` of its first request. In a
            # reconnect the server must ignore this parameter.
            stories = [
                ("SIGTERM", "after", [server.restart_by_term]),
                ("SIGKILL", "after", [server.restart_by_kill]),
                ("SIGTERM", "last", [server.restart_by_term]),
                ("SIGKILL", "last", [server.restart_by_kill]),
                ("both, twice", "after", [server.restart_by_term, server.restart_by_kill] * 2),
            ]
            for by, asked, restarts in stories:
                with results.check(f"{name}: started with {asked}=, gets each event once and in order through {by}"):
                    begin = f"after={server.position()}" if asked == "after" else "last=0"
                    client = ["node", HERE / "polyfill.mjs", name, server.url, begin]
                    streams = [ProgramActor(name, client, tools)]
                    posters = [poster(server.port, f"sender {n}", pause=0.05) for n in (1, 2)]
                    actors = lib.live_through(server, streams, posters, restarts)
                    came_back = actors[0].connects - 1
                    need(came_back >= len(restarts), f"the client reconnected only {came_back} times")


def check_curl(results, binary, scratch):
    folder = Path(scratch) / "curl"
    with results.check("curl: server"), Server(binary, folder / "server") as server:
        done = subprocess.run(
            [shutil.which("bash"), HERE / "curl.sh", server.url, folder],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=lib.clean_environment(),
        )
        results.take_lines(done.stdout + done.stderr, "curl.sh", done.returncode)

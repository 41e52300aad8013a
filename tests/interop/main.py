"""Runs all interoperability checks against one binary, partly in parallel. Exits with 1 if any check failed."""

import concurrent.futures
import sys
import tempfile
import time
from pathlib import Path

import documented_proxies
import lib
import programs
import proxies
import python_clients


def main(binary, tools):
    began = time.monotonic()
    results = lib.Results()
    binary = Path(binary).resolve()
    tools = Path(tools).resolve()
    with tempfile.TemporaryDirectory(prefix="northgate-interop-") as folder:
        scratch = Path(folder)

        def run(name, check, *arguments):
            try:
                check(results, binary, scratch, *arguments)
            except Exception as error:  # a failed group of checks must not end the others
                results.fail(name, f"{type(error).__name__}: {error}")

        # The curl checks measure time, so they run alone.
        run("curl", programs.check_curl)
        lanes = [
            [
                ("nginx, idle", proxies.check_idle_upstream),
                ("proxies as documented", documented_proxies.check_documented),
            ],
            [("nginx", proxies.check_nginx), ("node", programs.check_node, tools)],
            [
                ("haproxy", proxies.check_haproxy),
                ("python", python_clients.check_clients),
                ("java", programs.check_java),
            ],
            [("event sources", programs.check_event_sources, tools)],
        ]
        with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
            for lane in lanes:
                pool.submit(lambda lane=lane: [run(*topic) for topic in lane])
        # Clients of failed checks may still try to connect to stopped servers. Nothing waits for
        # these clients.
    seconds = time.monotonic() - began
    print(f"{results.passed} ok, {len(results.failed)} failed, {seconds:.0f} s", flush=True)
    return 1 if results.failed or results.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

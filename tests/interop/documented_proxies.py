"""Runs the proxy configurations of docs/OPERATIONS.md, with other ports and other test-only changes."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from lib import HERE, Server, free_port, need, poster, sse_stream, ws_stream
from proxies import PUBLIC_HOST, HaProxy, Nginx, Proxy, live_behind

PAGE = HERE.parent.parent / "docs" / "OPERATIONS.md"
HEADERS = {"Host": PUBLIC_HOST}


def documented(language, replacements):
    """Returns the only code block of a language, with all replacements made. A missing text is a failure."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    need(len(blocks) == 1, f"the page has {len(blocks)} blocks of {language}")
    block = blocks[0]
    for old, new in replacements.items():
        need(old in block, f"the block of {language} has no {old!r}")
        block = block.replace(old, new)
    return block


def documented_nginx(folder, port, server_port):
    """nginx with the documented block in its `http` context."""
    block = documented("nginx", {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8000": f"127.0.0.1:{server_port}"})
    proxy = Nginx(folder, port, "", "", probe_headers=HEADERS)
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    proxy.configuration.write_text(f"""
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
# A replaced worker closes its streams after this time.
worker_shutdown_timeout 1s;
events {{ worker_connections 512; }}
http {{
{temporary}
access_log {folder}/access.log;
{block}
}}
""")
    return proxy


def documented_haproxy(folder, port, server_port):
    """HAProxy with a `global` section, followed by the documented sections."""
    block = documented("haproxy", {"bind :80": f"bind 127.0.0.1:{port}", "127.0.0.1:8000": f"127.0.0.1:{server_port}"})
    proxy = HaProxy(folder, port, "http", "")
    proxy.probe_headers = HEADERS
    proxy.configuration.write_text(f"""
global
    stats socket unix@haproxy.sock mode 600 level admin expose-fd listeners
    # A replaced worker closes its streams after this time.
    hard-stop-after 1s
    maxconn 512
{block}
""")
    return proxy


class Caddy(Proxy):
    """Caddy with the documented site. Only the name of the site is changed: plain HTTP and a port."""

    probe_headers = HEADERS

    def __init__(self, folder, port, server_port):
        super().__init__(folder, port)
        site = {"alerts.example.com": f"http://alerts.example.com:{port}", "127.0.0.1:8000": f"127.0.0.1:{server_port}"}
        self.configuration = self.folder / "Caddyfile"
        self.configuration.write_text(f"""
{{
    admin unix/{self.folder}/admin.sock
    default_bind 127.0.0.1
}}
{documented("caddyfile", site)}
""")

    def start(self):
        # Caddy stores its last configuration in these folders.
        folders = [f"XDG_CONFIG_HOME={self.folder}", f"XDG_DATA_HOME={self.folder}"]
        caddy = [shutil.which("caddy"), "run", "--adapter", "caddyfile", "--config", self.configuration]
        self.run([shutil.which("env"), *folders, *caddy])
        return self

    def reload(self):
        """Caddy replaces its configuration within one process. `--force` loads an unchanged configuration too."""
        command = [shutil.which("caddy"), "reload", "--force", "--adapter", "caddyfile"]
        command += ["--config", self.configuration, "--address", f"unix/{self.folder}/admin.sock"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        need(done.returncode == 0, f"caddy reload: {done.stderr}")


FORMS = {
    "nginx, as documented": documented_nginx,
    "haproxy, as documented": documented_haproxy,
    "caddy, as documented": Caddy,
}


def check_documented(results, binary, scratch):
    for number, (name, form) in enumerate(FORMS.items()):
        folder = Path(scratch) / f"documented-{number}"
        with contextlib.ExitStack() as running:
            proxy = None
            with results.check(f"{name}: starts"):
                server = running.enter_context(Server(binary, folder / "server", "--public-host", PUBLIC_HOST))
                made = running.enter_context(form(folder / "proxy", free_port(), server.port))
                made.prefix, made.headers = "", HEADERS
                proxy = made.start()
            if proxy is None:
                continue

            def streams():
                begin = server.position()
                return [
                    sse_stream(proxy.port, "SSE", begin, headers=HEADERS),
                    ws_stream(proxy.port, "WebSocket", begin, host=PUBLIC_HOST),
                ]

            def posters():
                made = [poster(proxy.port, f"sender {n}", pause=0.02, headers=HEADERS) for n in (1, 2, 3)]
                return [*made, poster(proxy.port, "sender 4", pause=0.02, fresh=True, headers=HEADERS)]

            live_behind(results, name, server, proxy, streams, posters)

"""nginx before several processes of the page for `benchmarks.crowd`, as README.md describes it."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playground.support.visitors import COOKIE

CONFIGURATION = """
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $cookie_{cookie} $visitor {{ "" $remote_addr; default $cookie_{cookie}; }}
  upstream playground {{ hash $visitor consistent; {servers} }}
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 512m;
    location / {{
      proxy_pass http://playground;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffering off;
      proxy_read_timeout 1h;
    }}
  }}
}}
"""


@contextmanager
def proxy(folder: Path, port: int, behind: Sequence[int]) -> Iterator[subprocess.Popen[bytes]]:
    """Lets nginx, which it yields, send each visitor to one of several ports, always the same one, meanwhile."""
    servers = " ".join(f"server 127.0.0.1:{each};" for each in behind)
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, cookie=COOKIE, servers=servers, port=port))
    user = " user root;" if os.geteuid() == 0 else ""  # else another user, who cannot write in the folder
    process = subprocess.Popen(["nginx", "-c", str(file), "-g", f"daemon off;{user}"])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()

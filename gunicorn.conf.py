"""How gunicorn serves the API: `gunicorn adapters_http.wsgi:application` finds this file by itself.

Bad values are not reported here but by the application, which reads all settings, names every bad
one at once, and is loaded before anything listens.

A thread that reads from a slow client serves nobody else meanwhile. So in production a proxy stands
before it, which hands over requests that are complete (deploy/Caddyfile).
"""

import os
from pathlib import Path

from loguru import logger

from adapters_http.settings import request_seconds, web_threads
from retail_core.kernel.process import logs
from retail_core.kernel.settings import AppEnv, AppSettings, read_env

_env = read_env(os.environ, Path.cwd())
_is_production = _env.app_env is AppEnv.PRODUCTION
_host = "0.0.0.0" if _is_production else "127.0.0.1"  # noqa: S104 - in production a proxy stands before it

logs.configure(logger, AppSettings.read(_env), "api")
logconfig_dict = logs.GUNICORN_LOGGING
# the application writes one line per request itself, with the request's id and without secrets
accesslog = None

bind = f"{_host}:{_env.integer('PORT', default=3001, minimum=1, maximum=65_535)}"
worker_class = "gthread"
workers = _env.integer("WEB_CONCURRENCY", default=2 if _is_production else 1, minimum=1, maximum=64)
threads = web_threads(_env)

# Connections of a process, with those that wait and those that are idle; with the files and the
# connections to servers they fit into the 1,024 open files that systems usually allow.
worker_connections = 800

# Load once, before listening and forking: a bad setting ends the process with its message. The
# application opens its connections on first use, so none is shared between processes.
preload_app = True

# Orchestrators kill after 30 seconds by custom; requests under way end a little before. That no
# others come is for the proxy to see to, which was told by the drain file (docs/operations.md).
graceful_timeout = request_seconds(_env) + 2
timeout = 60
# longer than a usual proxy keeps its idle connections, so that it is never the one who is cut off
keepalive = 75
backlog = 512

# Who the caller is behind a proxy is decided by TRUSTED_PROXIES, in one place: the application.
forwarded_allow_ips = ""
proxy_protocol = False

# the largest legitimate line is a page address with a filter, the largest header a token
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# a socket for remote control is one more door than we use
control_socket_disable = True
proc_name = "retail-api"
# heartbeats of the processes, in memory where there is such a place
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - files are anonymous

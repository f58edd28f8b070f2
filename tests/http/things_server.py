"""The app over `things` for a real server, which is a little less patient than in production."""

import os

from adapters_http import arriving, server
from tests.contracts.worlds import memory_world
from tests.http.things import api_of_things

HEAD_SECONDS = float(os.environ.get("HEAD_SECONDS", "1"))
server.HEAD_SECONDS = HEAD_SECONDS  # type: ignore[misc] # a test does not wait for ten
arriving.BODIES_BYTES_MAX = int(  # type: ignore[misc] # nor does it fill 64 MB
    os.environ.get("BODIES_BYTES_MAX", arriving.BODIES_BYTES_MAX)
)
application = api_of_things(
    memory_world(), REQUEST_TIMEOUT_SECONDS=os.environ.get("REQUEST_TIMEOUT_SECONDS", "25")
).app

"""The gateway for any WSGI server: `application`. `trunkline web` is the server of its own.

The server must patch the standard library with gevent before it loads this file, as gunicorn's gevent workers
do. Settings come from TRUNKLINE_* variables.
"""

import atexit

from gateway import web
from gateway.settings import Settings

application, _close = web.application(Settings.load())
atexit.register(_close)

#!/opt/venv/bin/python3
"""The container is well when registry and token server, through nginx, ask who is there."""

import http.client
import os
import ssl
import sys


def status(path: str) -> int:
    """The status that nginx gives for a path to who has no password."""
    port = int(os.environ.get("REGISTRY_PORT") or 5000)
    connection: http.client.HTTPConnection
    if os.environ.get("REGISTRY_TLS_CERTIFICATE"):
        # The certificate is for the name by which clients come, which isn't this one.
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=4, context=ssl._create_unverified_context()
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"error: {path}: {error}")
    finally:
        connection.close()


for place in ("/v2/", "/docker_auth_service/auth?service=registry"):
    if (found := status(place)) != 401:
        sys.exit(f"error: {place}: status {found}, expected 401")

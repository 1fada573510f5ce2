"""Connections to a server, or through the proxy that the environment names: HTTPS_PROXY, HTTP_PROXY, NO_PROXY.

What is on this machine is never asked for through a proxy. A name in NO_PROXY stands for its subdomains, too.
"""

import base64
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from tools.lib.errors import UserError

_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Way:
    """A connection that isn't open yet, what to ask it for, headers for the proxy, and who is spoken to first."""

    connection: http.client.HTTPConnection
    target: str
    headers: Mapping[str, str]
    via: str = ""


def find_way(url: str, context: ssl.SSLContext, timeout: float) -> Way:
    """The way to a URL. Raises UserError when the proxy's address isn't one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    proxy = "" if host in _LOCAL or proxy_bypass(host) else getproxies_environment().get(parts.scheme, "")
    if not proxy:
        if secure:
            return Way(http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context), path, {})
        return Way(http.client.HTTPConnection(host, parts.port, timeout=timeout), path, {})
    there = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    name = f"{parts.scheme.upper()}_PROXY={there.scheme}://{there.netloc.rpartition('@')[2]}"
    if there.scheme != "http" or not there.hostname:
        raise UserError(f"{name}: expected http://HOST:PORT")
    headers = {}
    if there.username:
        who = f"{unquote(there.username)}:{unquote(there.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(who.encode()).decode()
    if secure:
        connection = http.client.HTTPSConnection(there.hostname, there.port or 80, timeout=timeout, context=context)
        connection.set_tunnel(host, parts.port or 443, headers)
        return Way(connection, path, {}, name)
    return Way(http.client.HTTPConnection(there.hostname, there.port or 80, timeout=timeout), url, headers, name)

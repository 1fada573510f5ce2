#!/bin/sh
# The container is well when BIND answers, be it with a refusal.
exec dig @127.0.0.1 -p "${NAMED_PORT:-53}" +time=4 +tries=1 +noall . NS

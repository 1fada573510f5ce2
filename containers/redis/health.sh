#!/bin/sh
# The container is well when Redis answers. The password goes by the environment, not by arguments.
set -eu
REDISCLI_AUTH=${REDIS_PASSWORD:-}
[ -z "${REDIS_PASSWORD_FILE:-}" ] || REDISCLI_AUTH=$(cat "$REDIS_PASSWORD_FILE")
export REDISCLI_AUTH
[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
[ "$(redis-cli -p "${REDIS_PORT:-6379}" ping)" = PONG ]

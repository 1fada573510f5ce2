#!/bin/sh
# Start Redis as the environment says; README.md lists the variables. Redis reads its configuration from its standard
# input, so that no password is among its arguments.
set -eu

wrong() {
    echo "error: $1='$2': expected $3" >&2
    exit 64
}

number() {
    case $2 in '' | *[!0-9]*) wrong "$1" "$2" "a number from $3 to $4" ;; esac
    [ "${#2}" -le 9 ] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || wrong "$1" "$2" "a number from $3 to $4"
}

port=${REDIS_PORT:-6379}
number REDIS_PORT "$port" 1 65535

appendonly=${REDIS_APPENDONLY:-yes}
case $appendonly in yes | no) ;; *) wrong REDIS_APPENDONLY "$appendonly" "yes or no" ;; esac

maxmemory=${REDIS_MAXMEMORY_MB:-0}
number REDIS_MAXMEMORY_MB "$maxmemory" 0 999999999

bind=${REDIS_BIND:-*}
case $bind in *[!0-9a-fA-F.:\ *-]*) wrong REDIS_BIND "$bind" "IP addresses, or * for all" ;; esac

password=${REDIS_PASSWORD:-}
if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then
    [ -r "$REDIS_PASSWORD_FILE" ] || wrong REDIS_PASSWORD_FILE "$REDIS_PASSWORD_FILE" "a file that may be read"
    password=$(cat "$REDIS_PASSWORD_FILE")
fi
case $password in
*[!A-Za-z0-9._~+/=-]*)
    echo "error: REDIS_PASSWORD: it has a character besides letters, digits and . _ ~ + / = -" >&2
    exit 64
    ;;
esac

[ -w /data ] || wrong "the volume" /data "a folder that user $(id -u) may write; it belongs to $(stat -c %u /data)"

unset REDIS_PASSWORD
exec /usr/bin/redis-server - <<CONFIGURATION
bind $bind
port $port
dir /data
appendonly $appendonly
maxmemory ${maxmemory}mb
protected-mode no
daemonize no
supervised no
${password:+requirepass $password}
CONFIGURATION

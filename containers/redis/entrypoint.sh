#!/bin/sh
# Start Redis as the environment says; README.md lists the variables. Redis reads its configuration from its standard
# input, so that no password is among its arguments.
set -eu

. /usr/local/lib/variables.sh

port=${REDIS_PORT:-6379}
number REDIS_PORT "$port" 1 65535

appendonly=${REDIS_APPENDONLY:-yes}
one_of REDIS_APPENDONLY "$appendonly" yes no

maxmemory=${REDIS_MAXMEMORY_MB:-0}
number REDIS_MAXMEMORY_MB "$maxmemory" 0 999999999

bind=${REDIS_BIND:-*}
case $bind in *[!0-9a-fA-F.:\ *-]*) wrong REDIS_BIND "$bind" "IP addresses, or * for all" ;; esac

secret REDIS_PASSWORD
writable /data

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
${secret:+requirepass $secret}
CONFIGURATION

#!/bin/sh
# Start HAProxy as the environment says; README.md lists the variables.
set -eu
. /usr/local/lib/variables.sh

port=${HAPROXY_PORT:-8080}
number HAPROXY_PORT "$port" 1 65535
status=${HAPROXY_STATUS_PORT:-8404}
number HAPROXY_STATUS_PORT "$status" 1 65535
connections=${HAPROXY_MAX_CONNECTIONS:-1000}
number HAPROXY_MAX_CONNECTIONS "$connections" 1 1000000
seconds=${HAPROXY_CHECK_SECONDS:-2}
number HAPROXY_CHECK_SECONDS "$seconds" 1 3600
stop=${HAPROXY_STOP_SECONDS:-8}
number HAPROXY_STOP_SECONDS "$stop" 1 3600
mode=${HAPROXY_MODE:-http}
one_of HAPROXY_MODE "$mode" http tcp
balance=${HAPROXY_BALANCE:-roundrobin}
one_of HAPROXY_BALANCE "$balance" roundrobin leastconn source
check=${HAPROXY_CHECK_PATH:-}
case $check in
'') ;;
*[!A-Za-z0-9/._~%?=-]*) wrong HAPROXY_CHECK_PATH "$check" "the path of a URL, such as /health" ;;
/*) [ "$mode" = http ] || wrong HAPROXY_CHECK_PATH "$check" "nothing, because HAPROXY_MODE is tcp" ;;
*) wrong HAPROXY_CHECK_PATH "$check" "the path of a URL, such as /health" ;;
esac
certificate=${HAPROXY_CERT_FILE:-}
[ -z "$certificate" ] || readable HAPROXY_CERT_FILE "$certificate"
case $certificate in *[!A-Za-z0-9/._-]*) wrong HAPROXY_CERT_FILE "$certificate" "a path of letters, digits and . _ - /" ;; esac

folder=/run/haproxy
cat >$folder/common.cfg <<CONFIGURATION
global
    log stdout format raw local0 info
    maxconn $connections
    hard-stop-after ${stop}s

defaults
    mode http
    log global
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend status
    bind :$status
    monitor-uri /health
    stats enable
    stats uri /stats
CONFIGURATION

if [ -n "${HAPROXY_CONFIG_FILE:-}" ]; then
    services=$HAPROXY_CONFIG_FILE
    readable HAPROXY_CONFIG_FILE "$services"
else
    services=$folder/services.cfg
    cat >$services <<CONFIGURATION
resolvers machine
    parse-resolv-conf

frontend service
    mode $mode
    option ${mode}log
    bind :$port ${certificate:+ssl crt $certificate}
    default_backend servers

backend servers
    mode $mode
    balance $balance
    option redispatch
    ${check:+option httpchk GET $check}
    default-server check inter ${seconds}s fall 2 rise 2 resolvers machine init-addr libc,none
CONFIGURATION
    count=0
    for server in ${HAPROXY_SERVERS:-}; do
        case $server in
        *[!A-Za-z0-9.:_-]* | :* | *:*:* | -*) wrong HAPROXY_SERVERS "$server" "words HOST:PORT" ;;
        *:*) number HAPROXY_SERVERS "${server#*:}" 1 65535 ;;
        *) wrong HAPROXY_SERVERS "$server" "words HOST:PORT" ;;
        esac
        count=$((count + 1))
        echo "    server server$count $server" >>$services
    done
    [ "$count" -gt 0 ] || wrong HAPROXY_SERVERS "" "words HOST:PORT, or a configuration as HAPROXY_CONFIG_FILE"
fi
/usr/sbin/haproxy -c -q -f $folder/common.cfg -f "$services" ||
    wrong HAPROXY_CONFIG_FILE "${HAPROXY_CONFIG_FILE:-}" "a configuration that HAProxy takes; what it said is above"
exec /usr/sbin/haproxy -W -db -f $folder/common.cfg -f "$services"

#!/bin/bash
# The container is well when HAProxy answers on its status port.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${HAPROXY_STATUS_PORT:-8404}"
printf 'GET /health HTTP/1.0\r\n\r\n' >&3
read -r line <&3
[[ $line == "HTTP/1."*" 200 "* ]]

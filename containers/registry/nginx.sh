#!/bin/sh
# nginx, without what an nginx that was killed has left: its workers would keep the port.
pkill -KILL -x nginx && while pgrep -x nginx >/dev/null; do sleep 0.1; done
exec /usr/sbin/nginx -e /logs/nginx-error.log -c /run/registry/nginx.conf

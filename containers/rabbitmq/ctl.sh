#!/bin/sh
# rabbitmqctl and its like for this container's node: `ctl.sh status`. Its cookie is in the volume.
set -eu
export HOME=/data RABBITMQ_NODENAME="${RABBITMQ_NAME:-rabbit@localhost}"
case ${RABBITMQ_NODENAME#*@} in *.*) export RABBITMQ_USE_LONGNAME=true ;; esac
exec /usr/lib/rabbitmq/bin/rabbitmqctl "$@"

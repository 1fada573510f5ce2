#!/bin/sh
# Start RabbitMQ as the environment says; README.md lists the variables. Passwords go by files that only this user may read.
set -eu
. /usr/local/lib/variables.sh
umask 077

port=${RABBITMQ_PORT:-5672}
number RABBITMQ_PORT "$port" 1 65535
memory=${RABBITMQ_MEMORY_MB:-0}
number RABBITMQ_MEMORY_MB "$memory" 0 999999999
user=${RABBITMQ_USER:-}
case $user in *[!A-Za-z0-9._-]*) wrong RABBITMQ_USER "$user" "letters, digits and . _ -" ;; esac
name=${RABBITMQ_NAME:-rabbit@localhost}
case $name in
*[!A-Za-z0-9.@_-]* | @* | *@ | *@*@*) wrong RABBITMQ_NAME "$name" "NAME@HOST" ;;
*@*) ;;
*) wrong RABBITMQ_NAME "$name" "NAME@HOST" ;;
esac

secret RABBITMQ_PASSWORD
password=$secret
secret RABBITMQ_COOKIE
cookie=$secret
[ -z "$user" ] || [ -n "$password" ] || wrong RABBITMQ_PASSWORD "" "the password of $user, or a file that has it as RABBITMQ_PASSWORD_FILE"
[ -n "$user" ] || [ -z "$password" ] || wrong RABBITMQ_USER "" "the user whose password is given"
writable /data

# Erlang reads its cookie from its user's home, and refuses one that others may read. The first start makes one.
export HOME=/data
file=$HOME/.erlang.cookie
if [ -n "$cookie" ] || [ ! -s "$file" ]; then
    rm -f "$file"
    printf %s "${cookie:-$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')}" >"$file"
    chmod 0400 "$file"
fi

folder=/run/rabbitmq
cat >$folder/rabbitmq.conf <<CONFIGURATION
listeners.tcp.default = $port
log.console = true
log.console.level = info
log.file = false
${user:+default_user = $user}
${user:+default_pass = $password}
CONFIGURATION
[ "$memory" = 0 ] || echo "vm_memory_high_watermark.absolute = ${memory}MB" >>$folder/rabbitmq.conf

unset RABBITMQ_PASSWORD RABBITMQ_PASSWORD_FILE RABBITMQ_COOKIE RABBITMQ_COOKIE_FILE RABBITMQ_USER RABBITMQ_PORT RABBITMQ_NAME RABBITMQ_MEMORY_MB
export RABBITMQ_NODENAME="$name"
case ${name#*@} in *.*) export RABBITMQ_USE_LONGNAME=true ;; esac
export RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf
export RABBITMQ_MNESIA_BASE=/data/mnesia
export RABBITMQ_LOGS=-
export RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins
export RABBITMQ_PID_FILE=$folder/pid
exec /usr/lib/rabbitmq/bin/rabbitmq-server

#!/bin/bash
# The container is well when RabbitMQ greets an AMQP client: its answer to the protocol's header is a frame of a method,
# which begins with a byte 1 (AMQP 0-9-1, 4.2.2 and 4.2.3). rabbitmqctl would start a virtual machine each time.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${RABBITMQ_PORT:-5672}"
printf 'AMQP\0\0\11\1' >&3
LC_ALL=C IFS= read -r -n 1 -t 4 byte <&3
[[ $byte == $'\1' ]]

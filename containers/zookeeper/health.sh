#!/bin/bash
# The container is well when ZooKeeper says that it serves: the four-letter word ruok is answered with imok.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${ZOOKEEPER_PORT:-2181}"
printf ruok >&3
IFS= read -r -N 4 -t 4 answer <&3
[[ $answer == imok ]]

#!/bin/sh
# Start ZooKeeper as the environment says; README.md lists the variables.
set -eu
. /usr/local/lib/variables.sh

port=${ZOOKEEPER_PORT:-2181}
number ZOOKEEPER_PORT "$port" 1 65535
tick=${ZOOKEEPER_TICK_MS:-2000}
number ZOOKEEPER_TICK_MS "$tick" 10 600000
clients=${ZOOKEEPER_MAX_CLIENTS:-60}
number ZOOKEEPER_MAX_CLIENTS "$clients" 0 1000000
heap=${ZOOKEEPER_HEAP_MB:-512}
number ZOOKEEPER_HEAP_MB "$heap" 32 1000000
writable /data

configuration=/run/zookeeper/zoo.cfg
cat >$configuration <<CONFIGURATION
tickTime=$tick
initLimit=10
syncLimit=5
dataDir=/data
clientPort=$port
maxClientCnxns=$clients
admin.enableServer=false
4lw.commands.whitelist=mntr,ruok,srvr
autopurge.purgeInterval=24
CONFIGURATION

members=0
for server in ${ZOOKEEPER_SERVERS:-}; do
    case $server in
    *[!A-Za-z0-9.:_-]* | :* | *: | *:*:*:*) wrong ZOOKEEPER_SERVERS "$server" "words HOST:PORT:PORT, such as zk1:2888:3888" ;;
    *:*:*) ;;
    *) wrong ZOOKEEPER_SERVERS "$server" "words HOST:PORT:PORT, such as zk1:2888:3888" ;;
    esac
    members=$((members + 1))
    echo "server.$members=$server" >>$configuration
done
if [ "$members" -gt 0 ]; then
    number ZOOKEEPER_ID "${ZOOKEEPER_ID:-}" 1 "$members"
    echo "$ZOOKEEPER_ID" >/data/myid
elif [ -n "${ZOOKEEPER_ID:-}" ]; then
    wrong ZOOKEEPER_ID "$ZOOKEEPER_ID" "nothing, because ZOOKEEPER_SERVERS names no servers"
fi

# What ZooKeeper logs by, and its binding to log4j, aren't in its jar's own class path.
jars=/usr/share/java
exec /usr/bin/java "-Xmx${heap}m" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError \
    -Dlog4j.configuration=file:/usr/local/share/zookeeper/log4j.properties \
    -cp $jars/zookeeper.jar:$jars/slf4j-log4j12.jar:$jars/log4j-1.2.jar org.apache.zookeeper.server.quorum.QuorumPeerMain $configuration

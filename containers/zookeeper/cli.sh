#!/bin/sh
# ZooKeeper's own client on this container's server: `cli.sh get /path`.
exec /usr/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dlog4j.configuration=file:/usr/local/share/zookeeper/log4j.properties \
    -cp /usr/share/java/zookeeper.jar org.apache.zookeeper.ZooKeeperMain -waitforconnection -timeout 60000 \
    -server "127.0.0.1:${ZOOKEEPER_PORT:-2181}" "$@"

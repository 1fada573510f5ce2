#!/bin/bash
# The container is well when nginx answers with the key that the repositories are signed with.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${PACKAGE_REPO_PORT:-8080}"
printf 'GET /key.asc HTTP/1.0\r\n\r\n' >&3
read -r -t 4 _ code _ <&3
[ "$code" = 200 ]

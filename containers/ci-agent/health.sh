#!/bin/sh
# A worker is well when its services run and the farm's server answers, an agent when it can make a sandbox.
set -eu
if [ "${AGENT_MODE:-agent}" = worker ]; then
    export PYTHONPATH=/usr/share/contrail-forge
    exec /usr/bin/python3 -SB -m tools.farm.container health
fi
exec bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc true

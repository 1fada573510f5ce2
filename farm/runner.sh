#!/bin/sh
# How a worker runs an action: without network, in namespaces of its own, seeing of the farm's
# folder only where its files are staged. The outer call brings loopback up and leaves /proc as it
# is; the inner one mounts a /proc that isn't covered anywhere, which the kernel asks for before
# it lets the action's own bubblewrap mount another.
exec bwrap --die-with-parent --unshare-user --unshare-net --unshare-ipc --unshare-uts --hostname worker \
    --ro-bind / / --ro-bind /farm/worker/hosts /etc/hosts --ro-bind /farm/worker/resolv.conf /etc/resolv.conf \
    --dev-bind /dev /dev --bind /proc /proc --tmpfs /dev/shm --tmpfs /tmp --tmpfs /farm \
    --bind /farm/worker/cache/cas/staging /farm/worker/cache/cas/staging \
    --bind /farm/worker/run /farm/worker/run --bind /farm/worker/tmp /farm/worker/tmp -- \
    unshare --user --map-current-user --pid --fork --kill-child --mount-proc -- \
    env --unset=TMPDIR buildbox-run-hosttools --staging-mode=copy-or-link "$@"

#!/bin/sh
# Load the vrouter.ko that was built for the running kernel; README.md lists the variables and the exit codes.
set -eu
trap 'exit 143' TERM

die() {
    code=$1
    shift
    printf 'error: %s\n' "$@" >&2
    exit "$code"
}

images=/usr/lib/modules
release=$(uname -r)
module=$images/$release/updates/vrouter.ko

if_other=${VROUTER_IF_OTHER:-keep}
case $if_other in
fail | keep | replace) ;;
*) die 64 "VROUTER_IF_OTHER='$if_other': expected one of: fail, keep, replace" ;;
esac

host=${VROUTER_HOST:-/host}
case $host in
/*) ;;
*) die 64 "VROUTER_HOST='$host': expected the absolute path of the host's root, which has lib/modules" ;;
esac

if ! [ -f "$module" ]; then
    known=
    for each in "$images"/*/updates/vrouter.ko; do
        [ ! -f "$each" ] || known="$known
  $(basename "${each%/updates/vrouter.ko}")"
    done
    die 65 "there is no vrouter.ko for the running kernel, $release; this image has one for: ${known:-none}
Boot one of these kernels, or build an image with $release (//containers/vrouter-kernel-init:kernels)"
fi

vermagic=$(modinfo -F vermagic "$module") || die 66 "$module: it is no module; build the image anew"
if [ "${vermagic%% *}" != "$release" ]; then
    die 66 "$module: it was built for kernel ${vermagic%% *}, and $release is running; build the image anew"
fi

version=$(modinfo -F version "$module")
source=$(modinfo -F srcversion "$module")

# What a file of /sys/module/vrouter says.
loaded() {
    cat "/sys/module/vrouter/$1" 2>/dev/null || echo unknown
}

# CAP_SYS_MODULE is bit 16 (capability.h).
may_load() {
    while read -r name value; do
        [ "$name" != CapEff: ] || [ $((0x$value >> 16 & 1)) = 0 ] || return 0
    done </proc/self/status
    die 67 "the container may not load modules; give it CAP_SYS_MODULE (docker run --cap-add SYS_MODULE)"
}

if [ -d /sys/module/vrouter ]; then
    if [ "$(loaded srcversion)" = "$source" ]; then
        echo "vrouter $version is loaded already, of the same source ($source)"
        exit 0
    fi
    other="another vrouter is loaded already: $(loaded version) ($(loaded srcversion)); the image has $version ($source)"
    case $if_other in
    keep)
        echo "$other; it stays (VROUTER_IF_OTHER=keep)"
        exit 0
        ;;
    fail) die 70 "$other" ;;
    replace)
        may_load
        said=$(rmmod vrouter 2>&1) || die 70 "$other; it can't be unloaded: $said"
        ;;
    esac
fi

may_load
for needed in $(modinfo -F depends "$module" | tr , ' '); do
    [ -d "/sys/module/$needed" ] || said=$(modprobe -d "$host" "$needed" 2>&1) ||
        die 68 "vrouter.ko needs the module $needed, which can't be loaded from $host/lib/modules/$release: $said" \
            "Mount the host's /lib/modules there, read-only, or load $needed before"
done
said=$(insmod "$module" 2>&1) || die 69 "kernel $release refuses $module: $said; the kernel's log says why"
echo "vrouter $version ($source) is loaded into kernel $release"

#!/bin/sh
# Start an agent or a worker of the farm, as the environment says; README.md lists the variables.
set -eu

. /usr/local/lib/variables.sh

mode=${AGENT_MODE:-agent}
one_of AGENT_MODE "$mode" agent worker
if [ "$mode" = worker ]; then
    export PYTHONPATH=/usr/share/contrail-forge
    exec /usr/bin/python3 -SB -m tools.farm.container start /usr/share/contrail-forge/farm
fi

# Bazel's sandbox and ours, one within the other.
enter="bwrap --unshare-user --ro-bind / / --dev /dev --bind /proc /proc --"
said=$($enter unshare --user --map-current-user --pid --fork --mount-proc -- $enter true 2>&1) || {
    echo "error: actions can't make user namespaces within each other here ($said); README.md says how to allow it" >&2
    exit 77
}

checkout=${AGENT_CHECKOUT:-/work}
repository=${AGENT_REPOSITORY:-}
revision=${AGENT_REVISION:-}
[ -d "$checkout" ] || wrong AGENT_CHECKOUT "$checkout" "a folder"
case $repository in
*://*:*@*)
    echo "error: AGENT_REPOSITORY: it has a password; give one to git, by a credential helper or a key in /home/ci" >&2
    exit 64
    ;;
esac
if [ -n "$repository" ]; then
    [ -w "$checkout" ] || wrong AGENT_CHECKOUT "$checkout" "a folder that user $(id -u) may write"
    [ -d "$checkout/.git" ] || git init --quiet "$checkout"
    # Without a word for a password: nobody is there to answer.
    GIT_TERMINAL_PROMPT=0 git -C "$checkout" fetch --quiet --tags --force "$repository" HEAD "+refs/heads/*:refs/remotes/origin/*" ||
        wrong AGENT_REPOSITORY "$repository" "a git repository that can be fetched"
    [ -n "$revision" ] || revision=$(git -C "$checkout" rev-parse FETCH_HEAD)
    commit=$(git -C "$checkout" rev-parse --quiet --verify --end-of-options "origin/$revision^{commit}" ||
        git -C "$checkout" rev-parse --quiet --verify --end-of-options "$revision^{commit}") ||
        wrong AGENT_REVISION "$revision" "a branch, tag or commit of $repository"
    git -C "$checkout" checkout --quiet --force --detach "$commit"
elif [ -n "$revision" ]; then
    wrong AGENT_REVISION "$revision" "AGENT_REPOSITORY with it"
fi
cd "$checkout"
exec "$@"

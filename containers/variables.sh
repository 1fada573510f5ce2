# For entrypoints (`. /usr/local/lib/variables.sh`): a variable that is wrong ends the container with code 64.

# wrong NAME VALUE EXPECTED
wrong() {
    echo "error: $1='$2': expected $3" >&2
    exit 64
}

# number NAME VALUE LOWEST HIGHEST
number() {
    case $2 in '' | *[!0-9]*) wrong "$1" "$2" "a number from $3 to $4" ;; esac
    [ "${#2}" -le 9 ] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || wrong "$1" "$2" "a number from $3 to $4"
}

# one_of NAME VALUE CHOICE...
one_of() {
    local name="$1" value="$2" choice
    shift 2
    for choice; do
        [ "$value" != "$choice" ] || return 0
    done
    wrong "$name" "$value" "one of: $*"
}

# readable NAME FILE
readable() {
    [ -f "$2" ] && [ -r "$2" ] || wrong "$1" "$2" "a file that may be read"
}

# writable FOLDER
writable() {
    [ -w "$1" ] || wrong "the volume" "$1" "a folder that user $(id -u) may write; it belongs to $(stat -c %u "$1")"
}

# secret NAME: `secret` becomes what the file NAME_FILE has, or else the variable NAME; no message shows it.
secret() {
    local file
    eval "secret=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$file" ]; then
        readable "$1_FILE" "$file"
        secret=$(cat "$file")
    fi
    case $secret in
    *[!A-Za-z0-9._~+/=-]*)
        echo "error: $1: it has a character besides letters, digits and . _ ~ + / = -" >&2
        exit 64
        ;;
    esac
}

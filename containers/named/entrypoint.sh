#!/bin/sh
# Start BIND as the environment says; README.md lists the variables.
set -eu
. /usr/local/lib/variables.sh

# addresses NAME VALUE: "ADDRESS; ADDRESS; " of the words of VALUE
addresses() {
    local name="$1" word
    for word in $2; do
        case $word in
        any | none) ;;
        *[!0-9a-fA-F.:/]*) wrong "$name" "$word" "IP addresses or networks such as 10.0.0.0/8, any, or none" ;;
        esac
        printf '%s; ' "$word"
    done
}

# forwarders VALUE: "ADDRESS port PORT; " of words ADDRESS or ADDRESS@PORT
forwarders() {
    local word address
    for word in $1; do
        address=${word%@*}
        case $address in '' | *[!0-9a-fA-F.:]*) wrong NAMED_FORWARDERS "$word" "IP addresses, each with @PORT if that isn't 53" ;; esac
        case $word in
        *@*)
            number NAMED_FORWARDERS "${word#*@}" 1 65535
            printf '%s port %s; ' "$address" "${word#*@}"
            ;;
        *) printf '%s; ' "$address" ;;
        esac
    done
}

port=${NAMED_PORT:-53}
number NAMED_PORT "$port" 1 65535
recursion=$(addresses NAMED_RECURSION "${NAMED_RECURSION:-none}")
transfer=$(addresses NAMED_TRANSFER "${NAMED_TRANSFER:-none}")
forward=$(forwarders "${NAMED_FORWARDERS:-}")
validation=${NAMED_DNSSEC:-auto}
one_of NAMED_DNSSEC "$validation" auto no

configuration=/run/named/named.conf
cat >$configuration <<CONFIGURATION
options {
    directory "/var/cache/bind";
    pid-file none;
    session-keyfile none;
    listen-on port $port { any; };
    listen-on-v6 port $port { any; };
    recursion yes;
    allow-recursion { $recursion };
    allow-query-cache { $recursion };
    allow-transfer { $transfer };
    dnssec-validation $validation;
    ${forward:+forward only; forwarders { $forward\};}
};
controls { };
CONFIGURATION
for file in /data/*.zone; do
    [ -e "$file" ] || continue
    zone=$(basename "$file" .zone)
    case $zone in *[!A-Za-z0-9._-]*) wrong "the zone file" "$file" "a name such as example.org.zone" ;; esac
    readable "the zone file" "$file"
    named-checkzone -q "$zone" "$file" || {
        named-checkzone "$zone" "$file" >&2 || true
        wrong "the zone file" "$file" "a zone that BIND takes; what it said is above"
    }
    echo "zone \"$zone\" { type primary; file \"$file\"; };" >>$configuration
done
exec /usr/sbin/named -g -c $configuration

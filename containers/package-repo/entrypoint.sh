#!/bin/sh
# Sign the repositories' metadata, then serve them by nginx; README.md lists the variables. The key is read here, by
# sqop, and by nobody after; signatures and what depends on the address lie in the folder `signed`, over the repositories.
set -eu
umask 022

. /usr/local/lib/variables.sh

repositories=/srv/repositories
state=/run/package-repo
signed=$state/signed

port=${PACKAGE_REPO_PORT:-8080}
number PACKAGE_REPO_PORT "$port" 1 65535

url=${PACKAGE_REPO_URL:-http://localhost:$port}
url=${url%/}
case $url in
*[!A-Za-z0-9._~:/-]*) wrong PACKAGE_REPO_URL "$url" "the address at which clients see this server, such as http://packages.example:8080" ;;
http://?* | https://?*) ;;
*) wrong PACKAGE_REPO_URL "$url" "the address at which clients see this server, such as http://packages.example:8080" ;;
esac

key=${PACKAGE_REPO_KEY_FILE:-}
[ -f "$key" ] && [ -r "$key" ] ||
    wrong PACKAGE_REPO_KEY_FILE "$key" "a file with an OpenPGP private key that user $(id -u) may read"

# sop INPUT OUTPUT WORD...
sop() {
    input=$1 output=$2
    shift 2
    code=0
    sqop "$@" <"$input" >"$output" 2>"$state/said" || code=$?
    # 67: the key is locked (KEY_IS_PROTECTED of the Stateless OpenPGP command line).
    case $code in
    0) ;;
    67) wrong PACKAGE_REPO_KEY_FILE "$key" "an OpenPGP private key without a password; this one has one" ;;
    *) wrong PACKAGE_REPO_KEY_FILE "$key" "a file with an OpenPGP private key that can sign; sqop says: $(cat "$state/said")" ;;
    esac
}

rm -rf "$signed"
mkdir -p "$signed" 2>/dev/null || wrong "the folder" "$state" "one that user $(id -u) may write"
sop "$key" "$signed/key.asc" extract-cert

count=0
for folder in "$repositories"/*/*/; do
    place=${folder#"$repositories/"}
    place=${place%/}
    name=contrail-forge-$(echo "$place" | tr / -)
    if [ -f "$folder/Release" ]; then
        mkdir -p "$signed/$place"
        sop "$folder/Release" "$signed/$place/InRelease" inline-sign --as=clearsigned "$key"
        sop "$folder/Release" "$signed/$place/Release.gpg" sign "$key"
        cat >"$signed/$place/apt.sources" <<SOURCES
Types: deb
URIs: $url/$place
Suites: ./
Signed-By: /etc/apt/keyrings/contrail-forge.asc
SOURCES
        cat >"$signed/$place/apt.pref" <<PREFERENCES
Package: *
Pin: release o=contrail-forge, a=${place%/*}, n=${place#*/}
Pin-Priority: 1001
PREFERENCES
    elif [ -f "$folder/repodata/repomd.xml" ]; then
        mkdir -p "$signed/$place/repodata"
        sop "$folder/repodata/repomd.xml" "$signed/$place/repodata/repomd.xml.asc" sign "$key"
        cat >"$signed/$place/yum.repo" <<REPOSITORY
[$name]
name=Contrail Forge ${place%/*} for ${place#*/}
baseurl=$url/$place
enabled=1
priority=1
# The metadata is signed, and has the packages' SHA-256; the packages themselves have no signatures.
repo_gpgcheck=1
gpgcheck=0
gpgkey=$url/key.asc
REPOSITORY
    else
        continue
    fi
    echo "serving $url/$place"
    count=$((count + 1))
done
[ "$count" -gt 0 ] || wrong "the folder" "$repositories" "RELEASE/DISTRIBUTION with a repository that package_repository made; \
use an image with a repository_layer, or mount one"

cat >"$state/nginx.conf" <<CONFIGURATION
daemon off;
pid $state/nginx.pid;
error_log stderr warn;
worker_processes auto;
events {}
http {
    access_log /dev/stdout;
    server_tokens off;
    sendfile on;
    default_type application/octet-stream;
    types { text/plain asc gpg pref repo sources; }
    client_body_temp_path $state/body;
    fastcgi_temp_path $state/fastcgi;
    proxy_temp_path $state/proxy;
    scgi_temp_path $state/scgi;
    uwsgi_temp_path $state/uwsgi;
    server {
        listen $port;
        location / {
            root $signed;
            try_files \$uri @repositories;
        }
        location @repositories {
            root $repositories;
            autoindex on;
        }
    }
}
CONFIGURATION
unset PACKAGE_REPO_KEY_FILE
exec nginx -e stderr -c "$state/nginx.conf"

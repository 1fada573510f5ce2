#!/bin/sh
# Make /out/package of KIND (deb, rpm), NAME and VERSION with one file, /usr/share/NAME/text, that says TEXT.
set -eu
kind=$1 name=$2 version=$3 text=$4
tree=/build/tree
mkdir -p "$tree/usr/share/$name"
echo "$text" >"$tree/usr/share/$name/text"
case $kind in
deb)
    mkdir "$tree/DEBIAN"
    cat >"$tree/DEBIAN/control" <<CONTROL
Package: $name
Version: $version
Architecture: all
Maintainer: A Test <test@example.com>
Description: $text
CONTROL
    dpkg-deb --root-owner-group --build "$tree" /out/package >&2
    ;;
rpm)
    cat >/build/package.spec <<SPEC
Name: $name
Version: $version
Release: 1
Summary: $text
License: Apache-2.0
BuildArch: noarch
AutoReqProv: no
%global __os_install_post %{nil}
%description
$text
%install
mkdir -p %{buildroot}
cp -r $tree/usr %{buildroot}/
%files
/usr/share/$name
SPEC
    rpmbuild -bb --quiet --define "_topdir /tmp/rpm" --define "_tmppath /tmp" --define "_rpmdir /tmp/made" \
        --define "_buildhost forge" /build/package.spec >&2
    cp /tmp/made/noarch/*.rpm /out/package
    ;;
esac

#!/bin/sh
# Builds the Debian packages in a fresh root of a distribution, installs them in another, uses and removes them.
#
#   tests/packages/in_clean_roots.sh SUITE [MIRROR] [COMPONENTS]
#
# SUITE: bookworm, trixie, noble, ... Needs root, mmdebstrap and a network; packages come into out/packages/SUITE.
# TWICE=1: builds twice and compares. KEEP=1: leaves the roots in the temporary folder that it prints.
set -eu

suite=${1:?"usage: in_clean_roots.sh SUITE [MIRROR] [COMPONENTS]"}
mirror=${2:-http://deb.debian.org/debian}
components=${3:-main}
source=$(cd "$(dirname "$0")/../.." && pwd)
out=$source/out/packages/$suite
work=$(mktemp -d)
mkdir -p "$out"
rm -f "$out"/*
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
echo "roots in $work"

fresh_root() { # NAME PACKAGES
    mmdebstrap --quiet --variant=apt --components="$components" --include="$2" "$suite" "$work/$1" "$mirror"
    # no service is started in a root
    printf '#!/bin/sh\nexit 101\n' > "$work/$1/usr/sbin/policy-rc.d"
    chmod +x "$work/$1/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$work/$1/etc/resolv.conf"
}
inside() { # NAME COMMAND
    chroot "$work/$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS="parallel=$(nproc)" sh -euc "$2"
}

# --- build ---
needed=$(sed -n '/^Build-Depends:/,/^[A-Z].*:/p' "$source/debian/control" | grep -v '^Standards' |
    sed 's/^Build-Depends://; s/([^)]*)//g; s/debhelper-compat/debhelper/' | tr -d ' \n')
fresh_root build "build-essential,fakeroot,lintian,$needed"
for pass in first ${TWICE:+second}; do
    mkdir -p "$work/build/$pass/gr-reservoir"
    (cd "$source" && git ls-files -z | tar --null -T - -c) | tar -x -C "$work/build/$pass/gr-reservoir"
    inside build "cd /$pass/gr-reservoir && dpkg-buildpackage -b -us -uc > ../log 2>&1 || { tail -n 30 ../log; exit 1; }"
done
cp "$work"/build/first/*.deb "$work"/build/first/*.changes "$out"
if [ -n "${TWICE:-}" ]; then
    for deb in "$work"/build/first/*.deb; do
        cmp "$deb" "$work/build/second/${deb##*/}"
    done
    echo "both builds gave the same packages"
fi
inside build "cd /first && lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs *.changes" ||
    { echo "lintian found something" >&2; exit 1; }
echo "lintian found nothing"

# --- use ---
fresh_root use ca-certificates
mkdir "$work/use/packages"
cp "$out"/*.deb "$source/tests/packages/first_frame.py" "$source/examples/configured_esn.grc" "$work/use/packages"
rm -f "$work"/use/packages/*-dbgsym_*
inside use "cd / && find usr etc var/lib | grep -i reservoir || true" > "$work/before"
inside use "apt-get update -q > /dev/null && apt-get install -y -q --no-install-recommends gnuradio > /dev/null"
begin=$(date +%s)
inside use "apt-get install -y -q /packages/*.deb > /dev/null"
echo "installed beside GNU Radio, with what is recommended, in $(($(date +%s) - begin)) s"
inside use "python3 /packages/first_frame.py"
inside use "cd /tmp && grcc -o /tmp /packages/configured_esn.grc > /dev/null && test -s /tmp/configured_esn_gui.py"
inside use "reservoir_receive --help > /dev/null && reservoir_transmit --help > /dev/null"
echo "the first frame, a flowgraph of Companion and the programs work"
inside use "apt-get purge -y -q '.*gnuradio-reservoir.*' > /dev/null"
inside use "cd / && find usr etc var/lib | grep -i reservoir || true" > "$work/after"
diff "$work/before" "$work/after" || { echo "the packages left these files behind" >&2; exit 1; }
echo "removed: nothing is left"

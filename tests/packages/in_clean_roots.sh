#!/bin/sh
# Builds the Debian packages in a fresh root of a distribution, installs them in another, uses and removes them.
#
#   tests/packages/in_clean_roots.sh SUITE [MIRROR] [COMPONENTS]
#
# SUITE: bookworm, trixie, noble. Needs root, mmdebstrap, gpg and a network, and for noble distro-info-data,
# ubuntu-keyring, http://archive.ubuntu.com/ubuntu and main,universe. Packages, and a picture of Companion, come into out/packages/SUITE.
# TWICE=1: builds twice and compares. NOOPT=1: compiles without optimisation, which is faster.
# KEEP=FOLDER: leaves the roots there; one to build in that is there is used again.
set -eu

suite=${1:?"usage: in_clean_roots.sh SUITE [MIRROR] [COMPONENTS]"}
mirror=${2:-http://deb.debian.org/debian}
components=${3:-main}
source=$(cd "$(dirname "$0")/../.." && pwd)
out=$source/out/packages/$suite
work=${KEEP:-$(mktemp -d)}
mkdir -p "$out" "$work"
rm -f "$out"/*
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT

fresh_root() { # NAME PACKAGES
    mmdebstrap --quiet --variant=apt --components="$components" --include="$2" "$suite" "$work/$1" "$mirror"
    # no service is started in a root
    printf '#!/bin/sh\nexit 101\n' > "$work/$1/usr/sbin/policy-rc.d"
    chmod +x "$work/$1/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$work/$1/etc/resolv.conf"
    echo 'Dpkg::Use-Pty "false";' > "$work/$1/etc/apt/apt.conf.d/99root" # a root has no /dev/pts
}
inside() { # NAME COMMAND
    chroot "$work/$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS="parallel=$(nproc) noautodbgsym ${NOOPT:+noopt}" sh -euc "$2"
}
# seconds since $begin
passed() { echo "$(($(date +%s) - begin)) s (load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) cores)"; }

# --- build ---
needed=$(sed -n '/^Build-Depends:/,/^[A-Z].*:/p' "$source/debian/control" | grep -v '^Standards' |
    sed 's/^Build-Depends://; s/([^)]*)//g; s/debhelper-compat/debhelper/' | tr -d ' \n')
[ -d "$work/build" ] || fresh_root build "build-essential,fakeroot,lintian,$needed"
rm -rf "$work/build/first" "$work/build/second" "$work/use"
# the second time in another folder, later, as another user would
for pass in first ${TWICE:+second/elsewhere}; do
    mkdir -p "$work/build/$pass/gr-reservoir"
    (cd "$source" && git ls-files -z | tar --null -T - -c) | tar -x -C "$work/build/$pass/gr-reservoir"
    begin=$(date +%s)
    inside build "cd /$pass/gr-reservoir && dpkg-buildpackage -b -us -uc > ../log 2>&1 || { tail -n 30 ../log; exit 1; }"
    echo "built in $(passed)"
done
cp "$work"/build/first/*.deb "$work"/build/first/*.changes "$out"
if [ -n "${TWICE:-}" ]; then
    for deb in "$work"/build/first/*.deb; do
        cmp "$deb" "$work/build/second/elsewhere/${deb##*/}"
    done
    echo "both builds gave the same packages"
fi
inside build "cd /first && lintian --profile debian --fail-on error,warning \
    --suppress-tags initial-upload-closes-no-bugs *.changes" || { echo "lintian found something" >&2; exit 1; }
echo "lintian found nothing"

# --- use: beside GNU Radio, without what it recommends ---
examples=/usr/share/gnuradio/examples/reservoir
fresh_root use ca-certificates,gnuradio,xauth,xvfb
mkdir "$work/use/packages"
cp "$out"/*.deb "$source/tests/packages"/*.py "$work/use/packages"
cp -r "$source/tests/packages/consumer" "$work/use/packages"
inside use "cd / && find usr etc var/lib | grep -i reservoir || true" > "$work/before"
inside use "apt-get update -q > /dev/null"

begin=$(date +%s)
inside use "apt-get install -y -q /packages/lib*reservoir0*.deb /packages/python3-*.deb > /dev/null"
installed=$(passed)
inside use "python3 /packages/first_frame.py"
inside use "cd /tmp && grcc -o /tmp $examples/configured_esn.grc > /dev/null && test -s /tmp/configured_esn_gui.py"
echo "apt install: $installed; with the first frame and the first flow graph of Companion: $(passed)"

inside use "cd /tmp && xvfb-run -a -s '-screen 0 1280x1024x24' python3 /packages/companion.py /tmp/companion.png \
    $examples/*.grc $examples/known_symbols/*.grc > /dev/null"
cp "$work/use/tmp/companion.png" "$out"
inside use "reservoir_receive --help > /dev/null && reservoir_transmit --help > /dev/null"
echo "all flow graphs of the examples are in order in Companion's window; the programs start"

# what the package only suggests is named
compare="python3 -m gnuradio.reservoir compare fir mlse --link snr_db=8,12 taps=3 --frames 10"
inside use "cd /tmp && $compare --out one > /dev/null 2> said && grep -q 'need python3-distributed' said"
inside use "cd /tmp && ! $compare --out two --workers 2 2> said && grep -q 'need python3-distributed' said"
echo "a comparison runs in one process without python3-distributed, and names it where more are wanted"

inside use "apt-get install -y -q --no-install-recommends cmake g++ make /packages/lib*-dev_*.deb > /dev/null"
inside use "cmake -Wno-dev -S /packages/consumer -B /tmp/consumer > /dev/null && cmake --build /tmp/consumer > /dev/null &&
    /tmp/consumer/equalize"
echo "a C++ program found the library with CMake, and received a frame"

inside use "apt-get purge -y -q '.*gnuradio-reservoir.*' > /dev/null"
inside use "cd / && find usr etc var/lib | grep -i reservoir || true" > "$work/after"
diff "$work/before" "$work/after" || { echo "the packages left these files behind" >&2; exit 1; }

echo "$suite: built${TWICE:+ twice with the same result}, lintian finds nothing; installed in $installed;" \
    "first frame, Companion, programs, C++; removed: nothing is left"

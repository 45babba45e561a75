#!/bin/sh
# Installs, through apt, what gr-reservoir needs and this machine lacks; prints what it installs, or nothing.
#
#   tools/setup.sh              to build, install and run the demo
#   tools/setup.sh test         ... and the tests
#   tools/setup.sh coverage     ... and what counts the lines that they run
#   tools/setup.sh bench        ... and the benchmarks
#   tools/setup.sh docs         ... and the documentation as a site
#   tools/setup.sh deb          ... and Debian packages
#   tools/setup.sh fuzz         ... and what `make fuzz` compiles with (Debian 12, Ubuntu 24.04)
#   tools/setup.sh valgrind     ... and valgrind
#   tools/setup.sh format       the formatters only
#   tools/setup.sh --list ...   print the packages, install nothing
#
# Debian 12 and 13, Ubuntu 24.04. A GNU Radio that was built from source is used as it is.
set -eu

# compiler, libraries, bindings, plots, Qt graphical blocks, and GTK for gnuradio-companion's window
BASE="g++ make cmake pkg-config git libeigen3-dev libhwy-dev libfftw3-dev libboost-test-dev pybind11-dev
python3-dev python3-numpy python3-scipy python3-matplotlib python3-tqdm python3-distributed python3-pyqt5
python3-pyqtgraph python3-gi python3-gi-cairo gir1.2-gtk-3.0"
GNURADIO="gnuradio gnuradio-dev"
BENCH="libbenchmark-dev libliquid-dev" # liquid-dsp: equalizers to compare with
DOCS="python3-sphinx python3-myst-parser"
TEST="python3-pytest python3-pytest-xdist python3-hypothesis $BENCH $DOCS"
GNURADIO_TEST="gr-osmosdr" # built for the GNU Radio of the distribution
COVERAGE="gcovr python3-pytest-cov"
DEB="build-essential debhelper dh-python dpkg-dev fakeroot help2man lintian"
FUZZ="clang-16 libclang-rt-16-dev" # libFuzzer
FORMAT="clang-format black"

list=0
if [ "${1:-}" = "--list" ]; then list=1; shift; fi

have() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
own_gnuradio() { # a GNU Radio with its headers, not necessarily from apt; CMake says if it is too old
    command -v gnuradio-config-info >/dev/null 2>&1 && pkg-config --atleast-version=3.10 gnuradio-runtime 2>/dev/null
}

case "${1:-}" in
    "") wanted="$BASE"; own_gnuradio || wanted="$wanted $GNURADIO" ;;
    test)
        wanted="$BASE $TEST"
        if ! own_gnuradio; then wanted="$wanted $GNURADIO $GNURADIO_TEST"
        elif have gnuradio; then wanted="$wanted $GNURADIO_TEST"
        fi
        ;;
    coverage) wanted="$BASE $TEST $COVERAGE"; own_gnuradio || wanted="$wanted $GNURADIO $GNURADIO_TEST" ;;
    bench) wanted="$BASE $BENCH"; own_gnuradio || wanted="$wanted $GNURADIO" ;;
    fuzz) wanted="$BASE $FUZZ"; own_gnuradio || wanted="$wanted $GNURADIO" ;;
    docs) wanted="$BASE $DOCS"; own_gnuradio || wanted="$wanted $GNURADIO" ;;
    deb) wanted="$BASE $DEB"; own_gnuradio || wanted="$wanted $GNURADIO" ;;
    valgrind) wanted="$BASE valgrind"; own_gnuradio || wanted="$wanted $GNURADIO" ;;
    format) wanted="$FORMAT" ;;
    *) echo "setup.sh: unknown argument '$1' (use: [--list] [test | coverage | bench | docs | fuzz | deb | valgrind | format])" >&2; exit 2 ;;
esac
wanted=$(echo $wanted)
if [ $list = 1 ]; then echo "$wanted"; exit 0; fi

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    # Not a Debian: nothing is installed, and all is well if the tools are there by other means.
    if [ "${1:-}" != format ] && command -v cmake >/dev/null 2>&1 && own_gnuradio; then exit 0; fi
    echo "setup.sh: this system has no apt. Install the equivalents of these Debian packages, then run make again:" >&2
    echo "    $wanted" >&2
    exit 1
fi

missing=""
for package in $wanted; do have "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=""
elif command -v sudo >/dev/null 2>&1; then as_root="sudo"
else
    echo "setup.sh: these packages are missing and neither root nor sudo is at hand. As root, run:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

echo "setup.sh: installing through apt:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update &&
       $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup.sh: apt could not install:$missing" >&2
    echo "setup.sh: (supported: Debian 12 and 13, Ubuntu 24.04; elsewhere install the equivalents by hand)" >&2
    exit 1
fi
echo "setup.sh: done."

#!/bin/sh
# Compiles the library and its C++ tests for arm64, and runs them in a root of Debian for arm64.
#
#   tests/packages/on_arm64.sh [SUITE [MIRROR]]
#
# Needs root, mmdebstrap, arch-test, and on another processor g++-aarch64-linux-gnu and qemu-user-static.
# KEEP=FOLDER: leaves root and build there, and uses them again.
set -eu

suite=${1:-bookworm}
mirror=${2:-http://deb.debian.org/debian}
source=$(cd "$(dirname "$0")/../.." && pwd)
work=${KEEP:-$(mktemp -d)}
root=$work/root
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"

[ -d "$root" ] || mmdebstrap --quiet --arch=arm64 --variant=apt \
    --include=gnuradio-dev,libhwy-dev,libeigen3-dev,libfftw3-dev,libboost-test-dev "$suite" "$root" "$mirror"

export PKG_CONFIG_SYSROOT_DIR="$root"
export PKG_CONFIG_LIBDIR="$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig"
cmake -S "$source" -B "$root/build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
    -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu -DCMAKE_SYSROOT="$root" \
    -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY \
    -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON -DENABLE_WERROR=ON -DENABLE_PYTHON=OFF -DENABLE_GRC=OFF
cmake --build "$root/build" -j "$(nproc)"

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root LC_ALL=C LD_LIBRARY_PATH=/build/lib "$@"; }
failed=
programs=$(cd "$root" && find build/tests -type f -name 'reservoir_test_*' ! -name '*.sh' | sort)
for program in $programs; do
    inside RESERVOIR_CYCLES=3 "/$program" > "$work/log" 2>&1 && continue
    echo "--- $program"
    tail -n 20 "$work/log"
    failed="$failed ${program##*/}"
done
[ -z "$failed" ] || { echo "failed on arm64:$failed" >&2; exit 1; }
echo "$suite, arm64: $(echo "$programs" | wc -l) programs of C++ tests passed"

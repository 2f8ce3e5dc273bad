# shellcheck shell=bash disable=SC2034
# Debian packages this tree needs, by purpose, and the one function that installs them. Sourced by deploy/check and
# deploy/demo; nothing here runs by itself.

packages_build=(gcc libc6-dev python3 meson ninja-build pkg-config libzmq3-dev libprotobuf-c-dev protobuf-c-compiler
    libsqlite3-dev libjansson-dev libconfuse-dev uthash-dev libunwind-dev libdw-dev libxxhash-dev libseccomp-dev)
packages_zones=(tzdata) # the time zones of schedules, and those of the C library that tests compare with
packages_test=(libcmocka-dev g++ gdb bsdextrautils nettle-dev zlib1g-dev libhttp-parser-dev curl)
packages_python=(python3-zmq python3-protobuf protobuf-compiler) # client/examples/goroutine_client.py
packages_style=(clang-format universal-ctags git mandoc)
packages_sanitize=(clang llvm libclang-rt-14-dev)
packages_bench=(golang-go nats-server redis-server gearman-job-server beanstalkd postgresql-15 libpq-dev) # peers of
    # tests/bench/run, each left out if missing
packages_nightly=(valgrind qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)

# packages_missing NAME... prints those that dpkg does not know as installed, on one line.
packages_missing() {
    local name missing=()
    for name in "$@"; do
        case "$(dpkg-query -W -f '${Status}\n' "$name" 2>/dev/null)" in
        *"install ok installed"*) ;;
        *) missing+=("$name") ;;
        esac
    done
    echo "${missing[*]}"
}

# packages_install NAME... installs what is missing and says so; does nothing, not even ask apt, when all is there.
# Returns 1, with what to do, where packages cannot be installed.
packages_install() {
    local missing=() as_root=()
    if ! command -v dpkg-query >/dev/null; then
        echo "packages: this is not a Debian system; nothing is installed. Needed, by Debian's names: $*" >&2
        return 0
    fi
    read -r -a missing <<<"$(packages_missing "$@")"
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "packages: missing and no sudo here. As root: apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "packages: installing with ${as_root[0]:+sudo }apt-get: ${missing[*]}"
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null ||
        ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null; then
        echo "packages: apt-get could not install: ${missing[*]}" >&2
        return 1
    fi
}

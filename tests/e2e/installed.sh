#!/usr/bin/env bash
# What is installed is enough: programs and a plugin outside the tree build with pkg-config, in C and as C++, and run.
# Needs BUILD (a built tree) and SOURCE.
set -eu
root=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || { kill "$daemon"; wait "$daemon" || :; }; rm -rf "$root"' EXIT
DESTDIR=$root meson install -C "$BUILD" --no-rebuild >"$root/log" 2>&1 || { cat "$root/log"; exit 1; }
prefix=$root$(meson introspect "$BUILD" --buildoptions |
    python3 -c 'import json, sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')
pc=$(dirname "$(find "$root" -name goclient.pc)")
export PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=${pc%/pkgconfig}
cc=${CC:-cc} # may be several words

flags() { pkg-config --cflags --libs "$@"; }

# shellcheck disable=SC2046
$cc -Wall -Wextra -Werror -o "$root/ping_pong" "$SOURCE/tests/e2e/outside/ping_pong.c" $(flags goroutine)
[ "$("$root/ping_pong")" = 5050 ] || { echo "ping_pong: wrong sum"; exit 1; }
sed -n '/installed.sh builds this/,/^```$/{/^[<`]/!p}' "$SOURCE/README.md" >"$root/readme.c"
# shellcheck disable=SC2046
$cc -Wall -Wextra -Werror -o "$root/readme" "$root/readme.c" $(flags goroutine)
[ "$("$root/readme")" = "1 4 9 16 25 " ] || { echo "the program of README.md: wrong squares"; exit 1; }
# shellcheck disable=SC2046
$cc -Wall -Wextra -Werror -o "$root/squares" "$SOURCE/client/examples/squares.c" $(flags goclient)
# shellcheck disable=SC2046
$cc -Wall -Wextra -Werror -shared -o "$root/hello.so" "$SOURCE/client/examples/hello.c" $(pkg-config --cflags goplugin)
for header in goroutine goroutine_net goroutine_sync goroutine_patterns goroutine_inspect goroutine_test goclient goclient_context goclient_go goplugin; do
    echo "#include <$header.h>" >"$root/header.cc"
    # shellcheck disable=SC2046
    $cc -x c++ -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags goplugin) "$root/header.cc"
done

export GOROUTINED_ENDPOINT=ipc://$root/socket PATH=$prefix/bin:$PATH
goroutined --state "$root/state" 2>"$root/log" &
daemon=$!
until goctl ping >"$root/ping" 2>&1; do kill -0 "$daemon" || { cat "$root/log"; exit 1; }; done
[ "$(goctl submit "$root/hello.so:hello" outside --wait)" = "Hello, outside!" ] || { cat "$root/log"; exit 1; }
"$root/squares" consume >"$root/squares.out" &
"$root/squares" produce
wait %2
[ "$(tr '\n' ' ' <"$root/squares.out")" = "1 4 9 16 25 " ] || { cat "$root/squares.out"; exit 1; }

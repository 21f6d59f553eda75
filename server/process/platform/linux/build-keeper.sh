#!/bin/sh
# Builds the keeper for the architectures whose compiler is here, into the given folder (default: beside the source,
# where the prebuilt ones are kept in the repository). Needs gcc, and gcc-aarch64-linux-gnu for the second one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here}

build() { # <compiler prefix> <name>
  if ! command -v "$1gcc" >/dev/null 2>&1; then
    echo "$1gcc is not installed: $2 not built" >&2
    return 0
  fi
  # -z noseparate-code keeps the file at about 4 KB instead of one page a section.
  "$1gcc" -nostdlib -static -ffreestanding -fno-pie -no-pie -Os -Wall -Wextra -Werror -std=c11 \
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident -fcf-protection=none \
    -fno-tree-loop-distribute-patterns -fomit-frame-pointer \
    -Wl,--build-id=none,-z,noexecstack,-z,norelro,-z,noseparate-code,-s \
    ${KEEPER_DEFINES:-} -o "$target/$2" "$here/keeper.c"
  chmod 755 "$target/$2"
}

case $(uname -m) in
  x86_64) build "" keeper-linux-x64 && build aarch64-linux-gnu- keeper-linux-arm64 ;;
  aarch64) build "" keeper-linux-arm64 && build x86_64-linux-gnu- keeper-linux-x64 ;;
  *) echo "no keeper for $(uname -m)" >&2 && exit 1 ;;
esac

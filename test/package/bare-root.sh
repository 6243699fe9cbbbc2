#!/bin/sh
# The one file and the Debian package on a bare Debian (mmdebstrap: no Node, no compiler, no npm), in namespaces of its own: `up` of
# examples/hello works, and removal leaves nothing but the data folder. Takes a minute or two; needs root, mmdebstrap and busybox.
#
#   npm run package && test/package/bare-root.sh [one-file|deb]...
set -eu
project=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -gt 0 ] || set -- one-file deb
work=$(mktemp -d)
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT

say() { echo "bare-root: $*"; }
fail() { echo "bare-root: $*" >&2; exit 1; }

base=${BARE_ROOT:-$project/node_modules/.cache/bare-root.tar}
if [ ! -e "$base" ]; then
  mkdir -p "${base%/*}"
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
  # what the Debian package depends on, and no more
  mmdebstrap --quiet --variant=minbase --include=libnftables1,libseccomp2,libstdc++6,libgcc-s1 "$codename" "$base.part.tar"
  mv "$base.part.tar" "$base"
fi

# An image of the machine's own static busybox, as a root file system to import.
image=$work/busybox.tar
mkdir -p "$work/image/bin" "$work/image/tmp"
cp "$(command -v busybox)" "$work/image/bin/busybox"
for command in sh echo sleep hostname cat; do ln -s busybox "$work/image/bin/$command"; done
tar -C "$work/image" --numeric-owner --owner=0 --group=0 -cf "$image" .

# Every file of the root but those of the kernel and of this test, and every table, link and bridge of its network.
cat >"$work/inside" <<'INSIDE'
set -eu
mount -t proc proc /proc
stock() {
  find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /test -o -path /tmp \) -prune -o -print |
    grep -vE '^/var/(lib/(tscompose|dpkg)|log|cache/(debconf|man|apt))(/|$)|^/(etc/ld.so.cache|etc/mtab)$' | sort
}
for program in node npm gcc cc make; do
  if command -v $program >/dev/null; then echo "$program is here: this is no bare root" >&2; exit 1; fi
done
stock >/tmp/before
case $1 in
  one-file) install -m 755 /test/tscompose /usr/local/bin/tscompose ;;
  deb) dpkg -i /test/tscompose.deb ;;
esac
cd /test/hello
tscompose version
tscompose self check --quiet || [ $? = 1 ]
tscompose image import --change 'CMD ["sh"]' /test/busybox.tar busybox
tscompose up -d
tscompose ps --format json
for _ in 1 2 3 4 5 6 7 8 9 10; do tscompose logs hello | grep -q 'hello from' && break; sleep 0.2; done
tscompose logs hello | grep 'hello from'
tscompose exec -T hello echo inside works
tscompose down
case $1 in
  one-file) tscompose engine stop; rm /usr/local/bin/tscompose; rm -rf /run/tscompose ;;
  deb) dpkg -r tscompose ;;
esac
stock >/tmp/after
if ! diff /tmp/before /tmp/after; then echo "files were left" >&2; exit 1; fi
[ -d /var/lib/tscompose ] || { echo "the data folder is gone" >&2; exit 1; }
if [ "$1" = deb ]; then
  dpkg -P tscompose
  [ ! -e /var/lib/tscompose ] || { echo "purged, and the data folder is there" >&2; exit 1; }
fi
# of this network namespace; /sys is that of the machine
sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev >/tmp/links
# the bridge of the engine's own network "bridge" stays until a reboot: containers may outlive the engine
left=$(grep -cvx lo /tmp/links || true)
[ "$left" -le 1 ] || { echo "links are left: $(cat /tmp/links)" >&2; exit 1; }
if ps ax 2>/dev/null | grep -E '[t]scompose|[m]onitor'; then echo "processes are left" >&2; exit 1; fi
INSIDE

for kind; do
  say "$kind"
  mkdir -p "$root"
  tar -C "$root" -xf "$base"
  mkdir -p "$root/test"
  cp -r "$project/examples/hello" "$image" "$root/test"
  cp "$work/inside" "$root/test/inside"
  case $kind in
    one-file) cp "$project"/build/package/tscompose-*-linux-x64 "$root/test/tscompose" ;;
    deb) cp "$project"/build/package/tscompose_*_amd64.deb "$root/test/tscompose.deb" ;;
    *) fail "unknown \"$kind\": it is one-file or deb" ;;
  esac
  # the mounts end with the namespaces, and so does every process
  unshare --mount --pid --net --uts --ipc --fork --kill-child sh -ec '
    mount --make-rprivate /
    mount --bind "$1" "$1"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/run"
    ip link set lo up 2>/dev/null || true
    exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh /test/inside "$2"
  ' sh "$root" "$kind"
  say "$kind: as it should be"
  rm -rf --one-file-system "$root"
done

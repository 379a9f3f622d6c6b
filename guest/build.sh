#!/bin/sh
# Rebuilds what the embedded guest is made of, the same bits each time:
#
#   guest/build.sh            vmlinux.zst and initramfs.cpio.zst
#   guest/build.sh module     v86fs.ko for Debian's stock 686 and 686-pae kernels
#   guest/build.sh base       the same of the base protocol's driver
#   guest/build.sh bzimage    a bzImage of the same kernel, for other emulators
#
# The kernel is Debian's linux-source-6.1 with the driver in guest/v86fs, the
# userland Debian's busybox-static for i386; both are fetched with apt-get. All
# work is done in $GOV86_GUEST_WORK, by default ~/.cache/gov86/guest.
#
# guest/SOURCES records the packages, guest/MANIFEST a SHA-256 of every source
# in this folder and of the two artefacts: the tests hold one against the other.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${GOV86_GUEST_WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/gov86/guest}
jobs=${JOBS:-$(nproc)}
export KBUILD_BUILD_TIMESTAMP='2026-11-01 00:00:00 UTC' KBUILD_BUILD_USER=gov86 KBUILD_BUILD_HOST=gov86 \
	KBUILD_BUILD_VERSION=1 SOURCE_DATE_EPOCH=1793491200 LC_ALL=C TZ=UTC

need() {
	for tool in gcc make bison flex bc cpio zstd dpkg-deb apt-get; do
		command -v "$tool" >/dev/null || missing="${missing:-} $tool"
	done
	if [ -n "${missing:-}" ]; then
		echo "guest/build.sh: missing:$missing; on Debian: dpkg --add-architecture i386 && apt-get update &&" \
			"apt-get install gcc-multilib make bison flex bc libelf-dev cpio zstd kmod" >&2
		exit 1
	fi
}

# fetch PACKAGE: downloads a package once and prints the file.
fetch() {
	mkdir -p "$work/deb"
	file=$(ls "$work"/deb/"${1%%:*}"_*.deb 2>/dev/null | head -n 1)
	if [ -z "$file" ]; then
		(cd "$work/deb" && apt-get download -q "$1" >&2)
		file=$(ls "$work"/deb/"${1%%:*}"_*.deb | head -n 1)
	fi
	echo "$file"
}

source_tree() {
	deb=$(fetch linux-source-6.1)
	if [ ! -f "$work/linux-source-6.1/Makefile" ]; then
		dpkg-deb --fsys-tarfile "$deb" | tar -xO ./usr/src/linux-source-6.1.tar.xz | tar -xJ -C "$work"
	fi
	tree=$work/linux-source-6.1
	rm -rf "$tree/fs/v86fs"
	mkdir "$tree/fs/v86fs"
	cp "$here"/v86fs/*.[ch] "$here"/v86fs/Kconfig "$here"/v86fs/Makefile "$tree/fs/v86fs/"
	# In the tree it is the configuration that says how the driver is built.
	sed -i '/^CONFIG_V86_FS ?=/d' "$tree/fs/v86fs/Makefile"
	grep -q v86fs "$tree/fs/Kconfig" || sed -i 's|^source "fs/adfs/Kconfig"|source "fs/v86fs/Kconfig"\n&|' "$tree/fs/Kconfig"
	grep -q v86fs "$tree/fs/Makefile" || echo 'obj-$(CONFIG_V86_FS) += v86fs/' >>"$tree/fs/Makefile"
}

# kernel TARGET FRAGMENT...: builds a kernel configured by fragments.
kernel() {
	target=$1
	shift
	source_tree
	mkdir -p "$work/build"
	cat "$@" >"$work/build/fragments"
	make -s -C "$tree" ARCH=i386 O="$work/build" KCONFIG_ALLCONFIG="$work/build/fragments" allnoconfig
	make -s -C "$tree" ARCH=i386 O="$work/build" -j"$jobs" "$target"
}

vmlinux() {
	kernel vmlinux "$here/kernel/fragment"
	strip -s -R .comment -R .note -o "$work/vmlinux" "$work/build/vmlinux"
	zstd -q -f --ultra -22 --long=24 --no-progress -T1 "$work/vmlinux" -o "$here/vmlinux.zst"
	chmod 644 "$here/vmlinux.zst"
}

initramfs() {
	deb=$(fetch busybox-static:i386)
	root=$work/root
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/mnt" "$root/proc" "$root/root" "$root/run" "$root/sbin" \
		"$root/sys" "$root/tmp" "$root/usr/bin" "$root/usr/sbin"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO ./bin/busybox >"$root/bin/busybox"
	install -m 755 "$here"/initramfs/rcS "$here"/initramfs/shell "$root/etc/"
	install -m 644 "$here"/initramfs/inittab "$root/etc/"
	chmod 755 "$root/bin/busybox"
	# A link for each command, so that the guest need not make them at its start.
	"$root/bin/busybox" --list-full | while read -r path; do
		case $path in bin/busybox | linuxrc) continue ;; esac
		mkdir -p "$root/$(dirname "$path")"
		ln -sf /bin/busybox "$root/$path"
	done
	ln -s /bin/busybox "$root/init"
	printf 'root::0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	printf 'gov86\n' >"$root/etc/hostname"
	find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	(cd "$root" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0) >"$work/initramfs.cpio"
	zstd -q -f --ultra -22 --no-progress -T1 "$work/initramfs.cpio" -o "$here/initramfs.cpio.zst"
	cp "$root/bin/busybox" "$work/busybox"
}

record() {
	{
		echo "# What the artefacts in this folder were built from."
		for p in linux-source-6.1 busybox-static:i386; do
			deb=$(fetch "$p")
			echo "$(dpkg-deb -f "$deb" Package) $(dpkg-deb -f "$deb" Version) $(dpkg-deb -f "$deb" Architecture) sha256:$(sha256sum <"$deb" | cut -d' ' -f1)"
		done
		gcc --version | sed -n '1s/^/compiler /p'
	} >"$here/SOURCES"
	(
		cd "$here"
		sha256sum build.sh kernel/* initramfs/* v86fs/*.[ch] v86fs/Kconfig v86fs/Makefile SOURCES vmlinux.zst initramfs.cpio.zst
	) >"$here/MANIFEST"
}

# module DIRECTORY: builds a driver for Debian's stock kernels.
module() {
	for flavour in 686 686-pae; do
		image=$(apt-cache depends "linux-headers-$flavour:i386" | sed -n 's/.*Depends: *\(linux-headers-6[^: ]*\).*/\1/p' | head -n 1)
		headers=$work/headers-$flavour
		rm -rf "$headers"
		mkdir -p "$headers"
		common=${image%-$flavour}-common
		for p in "$image:i386" "$common" linux-kbuild-6.1:i386 linux-compiler-gcc-12-x86:i386; do
			dpkg-deb -x "$(fetch "$p")" "$headers"
		done
		out=$work/$1-$flavour
		rm -rf "$out"
		cp -r "$here/$1" "$out"
		# The packages name each other by absolute paths.
		sed -i "s|/usr/src|$headers/usr/src|g; s|/usr/lib/linux-kbuild|$headers/usr/lib/linux-kbuild|g" \
			"$headers/usr/src/$image/Makefile" "$headers/usr/src/$image/.kernelvariables" 2>/dev/null || true
		for link in scripts tools; do
			ln -sfn "$headers/usr/lib/linux-kbuild-6.1/$link" "$headers/usr/src/$common/$link"
			[ ! -e "$headers/usr/src/$image/$link" ] || ln -sfn "$headers/usr/lib/linux-kbuild-6.1/$link" "$headers/usr/src/$image/$link"
		done
		make -s -C "$headers/usr/src/$image" ARCH=i386 M="$out" modules
		echo "$out/v86fs.ko"
	done
}

need
mkdir -p "$work"
case ${1:-all} in
all)
	vmlinux
	initramfs
	record
	ls -l "$here"/*.zst
	;;
module) module v86fs ;;
base) module v86fs-base ;;
bzimage)
	kernel bzImage "$here/kernel/fragment" "$here/kernel/bench"
	cp "$work/build/arch/x86/boot/bzImage" "$work/bzImage"
	echo "$work/bzImage"
	;;
initramfs) initramfs; record ;;
*)
	sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac

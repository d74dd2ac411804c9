# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by what boots a kernel that fetch vm unpacked. `die` is the caller's.

kernel_find() { # KERNEL: sets root, modules (a folder), version, vmlinuz
	lab=${LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/offloadd}
	root=$lab/vm-$1
	[ -d "$root" ] || die "no kernel $1 under $lab (run tests/machine/fetch vm $1)"
	modules=$(find "$root/lib/modules" "$root/usr/lib/modules" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | head -1)
	version=${modules##*/}
	vmlinuz=$(ls "$root"/boot/vmlinuz-* "$modules"/vmlinuz 2>/dev/null | head -1)
	[ -n "$modules" ] && [ -n "$vmlinuz" ] || die "$root holds no kernel"
}

kernel_initrd() { # INIT MODULE...: sets initrd: busybox, INIT, and the modules with what they need; made again when one changes
	local init=$1 recipe i module file
	shift
	recipe=$(echo "$*" | cat - "$init" "${BASH_SOURCE[0]}" | cksum | cut -d' ' -f1)
	initrd=$lab/initrd-$version-$recipe.gz
	[ ! -f "$initrd" ] || return 0
	i=$(mktemp -d)
	mkdir -p "$i"/{bin,proc,sys,dev,new,mods}
	cp "$(command -v busybox)" "$i/bin/busybox"
	[ -f "$modules/modules.dep" ] || depmod -b "${modules%/lib/modules/*}" "$version" 2>/dev/null
	for module; do
		modprobe -d "${modules%/lib/modules/*}" -S "$version" --show-depends "$module" 2>/dev/null |
			awk '$1 == "insmod" { print $2 }'
	done | awk '!seen[$0]++' | while read -r file; do
		module=$(basename "$file")
		case $module in
		*.xz) module=${module%.xz} && xz -dc "$file" >"$i/mods/$module" ;;
		*.zst) module=${module%.zst} && zstd -qdc "$file" >"$i/mods/$module" ;;
		*) cp "$file" "$i/mods/$module" ;;
		esac
		echo "$module"
	done >"$i/mods/order"
	cp "$init" "$i/init"
	chmod +x "$i/init"
	(cd "$i" && find . | cpio -o -H newc --quiet | gzip -1) >"$initrd.$$"
	mv "$initrd.$$" "$initrd"
	rm -rf "$i"
}

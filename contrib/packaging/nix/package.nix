# SPDX-License-Identifier: GPL-2.0-or-later
{ lib
, stdenv
, bpftools
, clang
, cmocka
, coreutils
, iniparser
, json_c
, libbpf
, libmnl
, libnl
, pkg-config
, scdoc
, systemd
, uthash
, util-linux
}:

stdenv.mkDerivation {
  pname = "offloadd";
  version = "0.1.0";
  src = ../../..;

  nativeBuildInputs = [ bpftools clang pkg-config scdoc ];
  buildInputs = [ iniparser libbpf libmnl libnl systemd uthash util-linux ];
  checkInputs = [ cmocka json_c ];

  # The wrapper of clang adds flags that its BPF target does not know.
  hardeningDisable = [ "zerocallusedregs" "stackprotector" ];

  # Rules and settings stay in /etc; the directory itself is not in the store.
  makeFlags = [ "PREFIX=$(out)" "SYSCONFDIR=/etc" "SBINDIR=$(out)/bin" "CC=${stdenv.cc.targetPrefix}cc" ];
  buildFlags = [ "all" "man" ];
  checkTarget = "test";
  doCheck = true;

  installFlags = [ "DESTDIR=" "ETC=$(out)/share/doc/offloadd/etc" ];
  postInstall = ''
    substituteInPlace $out/lib/systemd/system/*.service --replace-quiet /bin/kill ${util-linux}/bin/kill
  '';

  meta = {
    description = "Enforce rules for network offload features";
    license = lib.licenses.gpl2Plus;
    platforms = lib.platforms.linux;
    mainProgram = "offloadctl";
  };
}

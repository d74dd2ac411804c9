# SPDX-License-Identifier: GPL-2.0-or-later
# nix build '.?dir=contrib/packaging/nix' in a clone; with the module, services.offloadd.enable = true.
{
  description = "Enforce rules for network offload features";

  inputs.nixpkgs.url = "nixpkgs";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forEach = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
    in
    {
      packages = forEach (pkgs: { default = pkgs.callPackage ./package.nix { }; });

      nixosModules.default = { config, lib, pkgs, ... }:
        let package = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        in {
          options.services.offloadd.enable = lib.mkEnableOption "the network offload daemon";
          config = lib.mkIf config.services.offloadd.enable {
            environment.systemPackages = [ package ];
            systemd.packages = [ package ];
            systemd.services.offloadd.wantedBy = [ "multi-user.target" ];
            systemd.sockets.offloadd-hook.wantedBy = [ "offloadd.service" ];
            systemd.sockets.offloadd-netns.wantedBy = [ "offloadd.service" ];
            systemd.services.offloadd-wait-online.wantedBy = [ "network-online.target" ];
            users.users.offloadd = { isSystemUser = true; group = "offloadd"; };
            users.groups.offloadd = { };
          };
        };
    };
}

# SPDX-License-Identifier: GPL-2.0-or-later
# An upgrade turned transmit offloads off on some VLANs. Turn them on again, and keep them on if the interface below
# can provide them.
offloadd:
  pkg.installed: []
  file.managed:
    - name: /etc/offloadd/offloadd.conf.d/90-salt.conf
    - mode: '0644'
    - makedirs: True
    - contents: |
        [Daemon]
        Mode=enforce
    - require:
      - pkg: offloadd

VLANs keep their transmit offloads:
  offloadd.rules:
    - rules:
      - name: 10-vlan
        description: VLANs keep the transmit offloads of the interface below them
        reason: Without scatter-gather sendfile copies every page
        match:
          Kind: vlan
        features:
          sg: lower
          tx: lower
          tx-tcp-segmentation: lower
          tx-tcp-ecn-segmentation: lower
          tx-tcp6-segmentation: lower
          gso: lower
    - require:
      - pkg: offloadd

# The mode is set even if a rule fails.
offloadd runs and enforces:
  service.running:
    - name: offloadd
    - enable: True
    - require:
      - file: offloadd
  offloadd.mode:
    - name: enforce
    - require:
      - service: offloadd

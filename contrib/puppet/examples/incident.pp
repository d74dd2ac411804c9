# SPDX-License-Identifier: GPL-2.0-or-later
# An upgrade turned transmit offloads off on some VLANs. Turn them on again, and keep them on if the interface below
# can provide them.
class { 'offloadd':
  mode => 'enforce',
}

offloadd::rule { '10-vlan':
  description => 'VLANs keep the transmit offloads of the interface below them',
  reason      => 'Without scatter-gather sendfile copies every page',
  match       => { 'Kind' => 'vlan' },
  features    => {
    'sg'                      => 'lower',
    'tx'                      => 'lower',
    'tx-tcp-segmentation'     => 'lower',
    'tx-tcp-ecn-segmentation' => 'lower',
    'tx-tcp6-segmentation'    => 'lower',
    'gso'                     => 'lower',
  },
}

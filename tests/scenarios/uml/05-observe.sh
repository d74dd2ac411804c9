# SPDX-License-Identifier: GPL-2.0-or-later
# What the daemon observes on this kernel: the test of the netns layer, with bonds and VLANs to look at.
# kernels: 5.10 6.1
exec "$(dirname "$0")/../../netns/observe.sh"

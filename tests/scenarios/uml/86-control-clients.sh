# SPDX-License-Identifier: GPL-2.0-or-later
# The control socket on this kernel: the test of the netns layer, with its thousand hostile clients on one CPU.
# kernels: 7
exec "$(dirname "$0")/../../netns/control.sh"

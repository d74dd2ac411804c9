# SPDX-License-Identifier: GPL-2.0-or-later
# One boot without the daemon, to compare with.
. /story/lib.sh

booted
is "no daemon runs" "$(pgrep -x offloadd)" ""
echo "# boot-without $(boot_msec)"
done_testing

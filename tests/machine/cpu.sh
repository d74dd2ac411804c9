# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by what starts a user-mode kernel.

# A user-mode kernel and its processes take turns at every system call and page fault. On one CPU that is up to twice as fast as across
# two. Sets pin, a command prefix: a CPU that no other user-mode kernel of this user has, as long as one is free.
cpu_of_its_own() { # DIRECTORY, for the locks
	local cpu
	pin=()
	mkdir -p "$1"
	for ((cpu = 0; cpu < $(nproc --all); cpu++)); do
		exec {cpu_lock}>"$1/cpu-$cpu"
		if flock -n $cpu_lock && taskset -c $cpu true 2>/dev/null; then
			pin=(taskset -c $cpu)
			return
		fi
		exec {cpu_lock}>&-
	done
}

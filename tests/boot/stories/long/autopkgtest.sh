# SPDX-License-Identifier: GPL-2.0-or-later
# debian/tests as the distribution runs them: by autopkgtest, against the installed package.
. /story/lib.sh

booted
# this is a machine of its own, which later versions have to be told
isolated=
autopkgtest-virt-null --help | grep -q -- --fake-capability && isolated="--fake-capability isolation-machine"
autopkgtest --no-built-binaries ./source -- null $isolated >tested 2>&1
is "autopkgtest runs the tests of the package" $? 0
has "each of which passes" "$(cat tested)" '^netns +PASS'
is "none was skipped" "$(grep -E '^[a-z]+ +(SKIP|FAIL)' tested)" ""
done_testing

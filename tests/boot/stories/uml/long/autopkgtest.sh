# SPDX-License-Identifier: GPL-2.0-or-later
# debian/tests as the distribution runs them: by autopkgtest, against the installed package.
. /story/lib.sh

booted
autopkgtest --no-built-binaries ./source -- null >tested 2>&1
is "autopkgtest runs the tests of the package" $? 0
has "each of which passes" "$(cat tested)" '^netns +PASS'
is "none was skipped" "$(grep -E '^[a-z]+ +(SKIP|FAIL)' tested)" ""
done_testing

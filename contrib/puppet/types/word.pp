# SPDX-License-Identifier: GPL-2.0-or-later
# A value of a rule file: one line. Hiera reads on and off as booleans.
type Offloadd::Word = Variant[Boolean, Integer, Pattern[/\A[^\n\r]*\z/], Array[Pattern[/\A[^\n\r]*\z/]]]

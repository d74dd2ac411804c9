# SPDX-License-Identifier: GPL-2.0-or-later
#
# @summary One rule file of offloadd
#
# The title is the file name, with or without .rule; rules apply in the order of their names. Set the text with content, with
# source, or with match and features and the other keys of offloadd.rule(5).
#
# @param ensure masked installs an empty file, which disables the packaged rule of that name.
# @param content Text of the file.
# @param source Where to get the file from.
# @param description What the rule does, in one line.
# @param reason Why the rule exists.
# @param mode audit only reports differences.
# @param until Date after which the rule is due for review, as 2027-06-30.
# @param match Keys of [Match].
# @param features Features, each on, off, lower or lower-all.
define offloadd::rule (
  Enum['present', 'absent', 'masked']                 $ensure      = 'present',
  Optional[String]                                    $content     = undef,
  Optional[String]                                    $source      = undef,
  Optional[Offloadd::Word]                            $description = undef,
  Optional[Offloadd::Word]                            $reason      = undef,
  Optional[Enum['enforce', 'audit']]                  $mode        = undef,
  Optional[Pattern[/\A\d{4}-\d{2}-\d{2}\z/]]          $until       = undef,
  Hash[Pattern[/\A\w+\z/], Offloadd::Word]            $match       = {},
  Optional[Hash[Pattern[/\A[\w-]+\z/], Offloadd::Word]] $features  = undef,
) {
  include offloadd

  $file = "${regsubst($title, '\.rule\z', '')}.rule"
  unless $file =~ /\A[A-Za-z0-9_][A-Za-z0-9_.@+-]*\z/ {
    fail("invalid rule file name: ${title}")
  }
  $given = [$content, $source, $features].filter |$way| { $way =~ NotUndef }
  $ways = $ensure ? {
    'present' => 1,
    default   => 0,
  }
  if $given.length != $ways {
    fail("${file}: ${ensure} takes ${ways} of content, source, and match with features")
  }
  if $ensure != 'present' {
    $text = ''
  } elsif $features =~ Undef {
    $text = $content
  } else {
    $head = {
      'Description' => $description,
      'Reason'      => $reason,
      'Mode'        => $mode,
      'Until'       => $until,
    }.filter |$key, $value| { $value =~ NotUndef }
    $text = epp('offloadd/rule.epp', { 'head' => $head, 'match' => $match, 'features' => $features })
  }

  if $ensure == 'absent' {
    file { "${offloadd::rules_directory}/${file}":
      ensure => absent,
      notify => Exec['offloadctl reload'],
    }
  } else {
    file { "${offloadd::rules_directory}/${file}":
      ensure       => file,
      owner        => 'root',
      group        => 'root',
      mode         => '0644',
      content      => $text,
      source       => $source,
      validate_cmd => "${offloadd::offloadctl} check %",
      notify       => Exec['offloadctl reload'],
    }
  }
}

# SPDX-License-Identifier: GPL-2.0-or-later
#
# @summary offloadd on a host, with its mode and its rules
#
# @param mode Mode= of offloadd. In audit mode rules and settings are placed, and links are only looked at.
# @param rules Rule files, by name, each with parameters of offloadd::rule.
# @param purge Remove rule files of rules_directory that are not managed here.
# @param unmet What to do about a feature that is declared and cannot be had. In audit mode it is only told.
# @param manage_package Install the package offloadd.
# @param manage_service Enable and start offloadd.service.
# @param offloadctl The program.
# @param rules_directory Where rule files are placed.
class offloadd (
  Enum['audit', 'enforce'] $mode            = 'audit',
  Hash[String[1], Hash]    $rules           = {},
  Boolean                  $purge           = false,
  Enum['fail', 'warn']     $unmet           = 'fail',
  Boolean                  $manage_package  = true,
  Boolean                  $manage_service  = true,
  Pattern[/\A\//]           $offloadctl      = '/usr/bin/offloadctl',
  Pattern[/\A\//]           $rules_directory = '/etc/offloadd/rules.d',
) {
  $settings = '/etc/offloadd/offloadd.conf.d'
  # false would outrank --noop
  $look_only = $mode ? {
    'audit' => true,
    default => undef,
  }

  if $manage_package {
    package { 'offloadd':
      ensure => installed,
      before => File['/etc/offloadd'],
    }
  }

  file { ['/etc/offloadd', $settings]:
    ensure => directory,
    mode   => '0755',
  }

  file { $rules_directory:
    ensure  => directory,
    mode    => '0755',
    recurse => $purge,
    purge   => $purge,
    notify  => Exec['offloadctl reload'],
  }

  # Nothing is enforced before all rules are in place; to audit waits for nothing.
  $first = $mode ? {
    'enforce' => Exec['offloadctl reload'],
    default   => File[$settings],
  }

  file { "${settings}/90-puppet.conf":
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => "# Written by Puppet\n[Daemon]\nMode=${mode}\n",
    require => $first,
  }

  $rules.each |$rule, $parameters| {
    offloadd::rule { $rule:
      * => $parameters,
    }
  }

  # 3: offloadd does not run
  exec { 'offloadctl reload':
    command     => "${offloadctl} reload",
    refreshonly => true,
    returns     => [0, 3],
  }

  offload_links { 'all':
    ensure     => as_declared,
    unmet      => $unmet,
    offloadctl => $offloadctl,
    directory  => $rules_directory,
    noop       => $look_only,
    require    => Exec['offloadctl reload'],
  }

  if $manage_service {
    service { 'offloadd':
      ensure  => running,
      enable  => true,
      require => File["${settings}/90-puppet.conf"],
      before  => Exec['offloadd does what its mode says'],
    }
  }

  # By what offloadd does, not by what was written just now: a run that broke off before this is made good by the next.
  $other = $mode ? {
    'audit' => 'enforce',
    default => 'audit',
  }
  $differs = "${offloadctl} status --json | grep -q '\"mode\": \"${other}\"'"
  $why = "Mode=${mode} is asked for, and offloadd has ${other}: an option of the service, or a file in ${settings} that sorts later than 90-puppet.conf, says otherwise, or its settings have an error"
  exec { 'offloadd does what its mode says':
    command  => "${offloadctl} reload; if ${differs}; then echo '${why}'; exit 1; fi",
    onlyif   => $differs,
    provider => shell,
    require  => File["${settings}/90-puppet.conf"],
  }
}

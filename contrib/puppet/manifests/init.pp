# SPDX-License-Identifier: GPL-2.0-or-later
#
# @summary Sets up offloadd with its mode and its rules
#
# @param mode Mode= of offloadd. With audit, rules and settings are installed, and interfaces are only compared with the rules.
# @param rules Rule files by name, each with the parameters of offloadd::rule.
# @param purge Remove rule files from rules_directory that are not managed here.
# @param unmet What to do if a declared feature is not possible. With audit, it is only reported.
# @param manage_package Install the package offloadd.
# @param manage_service Enable and start offloadd.service.
# @param offloadctl Path of offloadctl.
# @param rules_directory Where rule files are installed.
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
  # false would override --noop
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

  # Enforce mode is set only after all rules are installed; audit mode is set at once.
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

  # 3: offloadd is not running
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
      before  => Exec['offloadd uses its configured mode'],
    }
  }

  # Compare with the running mode, not with the file: this completes a run that was interrupted before the reload.
  $other = $mode ? {
    'audit' => 'enforce',
    default => 'audit',
  }
  $differs = "${offloadctl} status --json | grep -q '\"mode\": \"${other}\"'"
  $why = "Mode=${mode} is configured, but offloadd runs in ${other} mode: an option of the service, or a file in ${settings} that sorts later than 90-puppet.conf, overrides it, or its settings have an error"
  exec { 'offloadd uses its configured mode':
    command  => "${offloadctl} reload; if ${differs}; then echo '${why}'; exit 1; fi",
    onlyif   => $differs,
    provider => shell,
    require  => File["${settings}/90-puppet.conf"],
  }
}

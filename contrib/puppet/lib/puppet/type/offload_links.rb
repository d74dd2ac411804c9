# SPDX-License-Identifier: GPL-2.0-or-later
require 'json'
require 'puppet'

Puppet::Type.newtype(:offload_links) do
  @doc = <<~DOC
    Offload features of network interfaces match the rules of offloadd; planned and applied with offloadctl. If a declared feature
    is not possible, or a rule file has an error, the resource fails with the message of offloadctl, after everything else was done.
  DOC

  newparam(:name, namevar: true) do
    desc 'Any name.'
  end

  newparam(:links) do
    desc 'Apply to these interfaces only. Each must exist.'
    defaultto { [] }
    munge { |value| [value].flatten.map(&:to_s) }
  end

  newparam(:unmet) do
    desc 'What to do if a declared feature is not possible.'
    newvalues(:fail, :warn)
    defaultto :fail
  end

  newparam(:offloadctl) do
    desc 'Path of offloadctl.'
    defaultto '/usr/bin/offloadctl'
  end

  newparam(:directory) do
    desc 'Rules directory managed by Puppet. It must be listed in RulesDirectory= of offloadd.conf.'
    defaultto '/etc/offloadd/rules.d'
  end

  newproperty(:ensure) do
    desc 'as_declared: interfaces match the rules.'
    newvalue(:as_declared) { resource.apply }
    defaultto :as_declared

    def retrieve
      return :as_declared if noop && !resource.installed?

      differs = resource.plan
      resource.judge if noop || !differs
      differs ? :differing : :as_declared
    end

    def change_to_s(_current, _wanted)
      "repaired: #{resource.changes('after')}"
    end

    def is_to_s(value)
      value == :differing ? resource.changes('before') : value.to_s
    end
  end

  def installed?
    File.executable?(self[:offloadctl])
  end

  # Exit status and the document; nil if there is none, because no rule exists or none is valid.
  def offloadctl(command, *arguments)
    words = [self[:offloadctl], command, '--json', *arguments]
    done = Puppet::Util::Execution.execute(words, failonfail: false, combine: false,
                                                  custom_environment: { 'LC_ALL' => 'C.UTF-8' })
    document = done.empty? ? nil : JSON.parse(done)
    raise Puppet::Error, "#{words.join(' ')}: unsupported document version" unless document.nil? || document['version'] == 1

    [done.exitstatus, document]
  rescue JSON::ParserError => e
    raise Puppet::Error, "#{words.join(' ')}: #{e.message}"
  end

  # Existing rules directories in force, highest priority first.
  def directories
    status, document = offloadctl('rules')
    raise Puppet::Error, "offloadctl rules: status #{status}" if document.nil?

    named = document['directories']
    own = File.expand_path(self[:directory])
    unless named.any? { |path| File.expand_path(path) == own }
      raise Puppet::Error, "rules in #{own} have no effect: RulesDirectory= in offloadd.conf is #{named.join(' ')}"
    end
    named.select { |path| File.directory?(path) }
  end

  def ask(command)
    directories = self.directories
    return @document = {} if directories.all? { |path| Dir.glob("#{path}/*.rule").none? { |file| File.size?(file) } }

    options = directories.flat_map { |path| ['--rules', path] }
    options += ['--', *self[:links]] unless self[:links].empty?
    status, @document = offloadctl(command, '--detailed-exitcodes', *options)
    _, @document = offloadctl('check', *directories) if @document.nil?
    return unless @document.nil? || (@document['rule_errors'].empty? && @document['document'] != command)

    raise Puppet::Error, "offloadctl #{command}: status #{status}"
  end

  # Whether there is something to change. With noop, this includes differences from rules with Mode=audit, which are never changed.
  def plan
    ask('plan')
    @planned = @document.fetch('links', []).flat_map { |link| differences(link) }.uniq
    noop? ? !@planned.empty? : !@document.fetch('steps', []).empty?
  end

  def differences(link)
    drifted = link['features'].select { |item| noop? && item['verdict'] == 'drifted' && item['active'] != item['want'] }
    (link['changes'].map { |change| [change['feature'], change['active']] } +
      drifted.map { |item| [item['feature'], item['want']] }).map { |feature, on| ["#{link['link']} #{feature}", on] }
  end

  # An offloadd in enforce mode with these rules would have left nothing to do, so a run may have been interrupted before the reload.
  # Errors of the reload are ignored, because apply reports them as well.
  def apply
    offloadctl('reload')
    ask('apply')
    judge
  end

  def changes(moment)
    @planned.map { |what, on| "#{what} #{on == (moment == 'after') ? 'on' : 'off'}" }.join(', ')
  end

  def errors
    @document.fetch('rule_errors', []).map do |error|
      "#{error['path']}#{":#{error['line']}" if error['line'].positive?}: #{error['message']}"
    end
  end

  def unmet_of(link, item)
    reason = item['text'] || (item['cause'] || {})['text'] || 'unknown reason'
    "#{link['link']}: #{item['feature']} is #{item['active'] ? 'on' : 'off'}, declared #{item['declared']} by " \
      "#{item['rule']['file']}:#{item['rule']['line']}: #{item['verdict']}: #{reason}"
  end

  def unmet
    @document.fetch('after', @document).fetch('links', []).flat_map do |link|
      found = link['features'].select { |item| %w[blocked unsupported refused contended].include?(item['verdict']) }
      found.map { |item| unmet_of(link, item) } + (link['error'] ? ["#{link['link']}: #{link['error']}"] : [])
    end
  end

  # Fail on the problems that offloadctl found, or warn; with noop always warn.
  def judge
    complain(errors, '', noop?)
    complain(unmet, 'not possible: ', noop? || self[:unmet] == :warn)
  end

  def complain(lines, head, only_warn)
    return if lines.empty?
    raise Puppet::Error, "#{head}#{lines.join('; ')}" unless only_warn

    lines.each { |line| warning("#{head}#{line}") }
  end
end

# SPDX-License-Identifier: GPL-2.0-or-later
require 'json'
require 'puppet'

Puppet::Type.newtype(:offload_links) do
  @doc = <<~DOC
    Offload features of network interfaces as offloadd's rules declare them, planned and applied by offloadctl. What cannot be
    had, and errors in rule files, make the resource fail with offloadctl's words, after everything else was done.
  DOC

  newparam(:name, namevar: true) do
    desc 'Any name.'
  end

  newparam(:links) do
    desc 'These interfaces only. Each must be there.'
    defaultto { [] }
    munge { |value| [value].flatten.map(&:to_s) }
  end

  newparam(:unmet) do
    desc 'What to do about a feature that is declared and cannot be had.'
    newvalues(:fail, :warn)
    defaultto :fail
  end

  newparam(:offloadctl) do
    desc 'The program.'
    defaultto '/usr/bin/offloadctl'
  end

  newparam(:directory) do
    desc 'The folder of rules that Puppet fills. One that RulesDirectory= of offloadd.conf does not name is an error.'
    defaultto '/etc/offloadd/rules.d'
  end

  newproperty(:ensure) do
    desc 'as_declared.'
    newvalue(:as_declared) { resource.apply }
    defaultto :as_declared

    def retrieve
      return :as_declared if noop && !resource.there?

      differs = resource.plan
      resource.judge if noop || !differs
      differs ? :differing : :as_declared
    end

    def change_to_s(_current, _wanted)
      "as declared now: #{resource.changes('after')}"
    end

    def is_to_s(value)
      value == :differing ? resource.changes('before') : value.to_s
    end
  end

  def there?
    File.executable?(self[:offloadctl])
  end

  # Exit status and the document; nil where there is none, since no rule is there or none can be used.
  def offloadctl(command, *arguments)
    words = [self[:offloadctl], command, '--json', *arguments]
    done = Puppet::Util::Execution.execute(words, failonfail: false, combine: false,
                                                  custom_environment: { 'LC_ALL' => 'C.UTF-8' })
    document = done.empty? ? nil : JSON.parse(done)
    raise Puppet::Error, "#{words.join(' ')}: version of the document" unless document.nil? || document['version'] == 1

    [done.exitstatus, document]
  rescue JSON::ParserError => e
    raise Puppet::Error, "#{words.join(' ')}: #{e.message}"
  end

  # Those in force that are there, the strongest first.
  def folders
    status, document = offloadctl('rules')
    raise Puppet::Error, "offloadctl rules: status #{status}" if document.nil?

    named = document['folders']
    own = File.expand_path(self[:directory])
    unless named.any? { |folder| File.expand_path(folder) == own }
      raise Puppet::Error, "rules in #{own} are not in force: RulesDirectory= of offloadd.conf has #{named.join(' ')}"
    end
    named.select { |folder| File.directory?(folder) }
  end

  def ask(command)
    folders = self.folders
    return @document = {} if folders.all? { |folder| Dir.glob("#{folder}/*.rule").none? { |file| File.size?(file) } }

    options = folders.flat_map { |folder| ['--rules', folder] }
    options += ['--', *self[:links]] unless self[:links].empty?
    status, @document = offloadctl(command, '--detailed-exitcodes', *options)
    _, @document = offloadctl('check', *folders) if @document.nil?
    return unless @document.nil? || (@document['rule_errors'].empty? && @document['document'] != command)

    raise Puppet::Error, "offloadctl #{command}: status #{status}"
  end

  # Is there something to change? With noop also what only rules with Mode=audit declare otherwise, which is never changed.
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

  # An offloadd that enforces had left nothing to do, if it had these rules: a run may have broken off before it read them. What it
  # says to a reload, apply tells as well.
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
    reason = item['text'] || (item['cause'] || {})['text'] || 'no reason given'
    "#{link['link']}: #{item['feature']} is #{item['active'] ? 'on' : 'off'}, declared #{item['declared']} by " \
      "#{item['rule']['file']}:#{item['rule']['line']}: #{item['verdict']}: #{reason}"
  end

  def unmet
    @document.fetch('after', @document).fetch('links', []).flat_map do |link|
      found = link['features'].select { |item| %w[blocked unsupported refused contended].include?(item['verdict']) }
      found.map { |item| unmet_of(link, item) } + (link['error'] ? ["#{link['link']}: #{link['error']}"] : [])
    end
  end

  # Fails about what offloadctl found wrong, or warns: with noop always.
  def judge
    complain(errors, '', noop?)
    complain(unmet, 'cannot be had: ', noop? || self[:unmet] == :warn)
  end

  def complain(lines, head, only_warn)
    return if lines.empty?
    raise Puppet::Error, "#{head}#{lines.join('; ')}" unless only_warn

    lines.each { |line| warning("#{head}#{line}") }
  end
end

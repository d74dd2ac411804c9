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
    desc 'The strongest folder of rules.'
    defaultto '/etc/offloadd/rules.d'
  end

  newproperty(:ensure) do
    desc 'as_declared.'
    newvalue(:as_declared) { resource.apply }
    defaultto :as_declared

    def retrieve
      return :as_declared if noop && !resource.there?

      steps = resource.plan
      resource.judge if steps.empty?
      steps.empty? ? :as_declared : :differing
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

  def folders
    [self[:directory], '/run/offloadd/rules.d', '/usr/lib/offloadd/rules.d'].select { |folder| File.directory?(folder) }
  end

  def ask(command)
    return @document = {} if folders.all? { |folder| Dir.glob("#{folder}/*.rule").none? { |file| File.size?(file) } }

    options = folders.flat_map { |folder| ['--rules', folder] }
    options += ['--', *self[:links]] unless self[:links].empty?
    status, @document = offloadctl(command, '--detailed-exitcodes', *options)
    _, @document = offloadctl('check', *folders) if @document.nil?
    return unless @document.nil? || (@document['rule_errors'].empty? && @document['document'] != command)

    raise Puppet::Error, "offloadctl #{command}: status #{status}"
  end

  # Steps that would be carried out.
  def plan
    ask('plan')
    @planned = @document.fetch('links', []).flat_map do |link|
      link['changes'].map { |change| ["#{link['link']} #{change['feature']}", change['active']] }
    end
    @document.fetch('steps', [])
  end

  def apply
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
      found = link['features'].select { |item| %w[blocked fixed refused].include?(item['verdict']) }
      found.map { |item| unmet_of(link, item) } + (link['error'] ? ["#{link['link']}: #{link['error']}"] : [])
    end
  end

  # Fails, or warns, about what offloadctl found wrong.
  def judge
    raise Puppet::Error, errors.join('; ') unless errors.empty?
    return if unmet.empty?
    raise Puppet::Error, "cannot be had: #{unmet.join('; ')}" if self[:unmet] == :fail

    unmet.each { |line| warning("cannot be had: #{line}") }
  end
end

# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for offloadctl. Commands, options and features come from the program itself.

# [COMMAND]: lines of --help that are indented by two, each with its continuation: an option, or a command
function __offloadctl_help
    command offloadctl $argv --help 2>/dev/null | awk '
        /^  [a-z-]/ { if (line) print line; line = $0; next }
        /^        / { sub(/^ */, ""); line = line " " $0; next }
        { if (line) print line; line = "" }
        END { if (line) print line }'
end

function __offloadctl_commands
    __offloadctl_help | string replace -rf '^  ([a-z-]+) (\[[^]]*\] *|[A-Z|]+(\.\.\.)?( \[[^]]*\])? +| +)(.*)$' '$1\t$5'
    printf 'help\tShow the commands, or the options of one\n'
end

function __offloadctl_links
    for link in /sys/class/net/*
        test -d $link; and string replace -r '.*/' '' $link
    end
end

function __offloadctl_units # TYPES
    systemctl list-units --plain --no-legend --type=$argv[1] 2>/dev/null | string replace -r ' .*' ''
end

# LINK: the aliases of offloadd.rule(5), and the names of this kernel
function __offloadctl_features
    printf '%s\n' rx tx sg tso ufo gso gro lro rxvlan txvlan ntuple rxhash
    command offloadctl show $argv[1] --all --no-legend --control none 2>/dev/null | string replace -rf '^([a-z0-9_-]+) +(on|off) .*' '$1'
end

# NAME WORD: values of an option, by the name that --help has for them
function __offloadctl_values
    switch $argv[1]
        case DIR
            __fish_complete_directories $argv[2]
        case FILE SOCKET
            __fish_complete_path $argv[2]
        case TIME
            printf '%s\n' 30s 10min 1h 1d
        case SIZE
            printf '%s\n' 64M 512M 4G
        case LINK
            __offloadctl_links
        case NETNS
            command ls /run/netns 2>/dev/null
        case UNIT
            __offloadctl_units service
        case BACKEND
            printf '%s\n' netlink ioctl auto
        case WHEN
            printf '%s\n' auto always never
        case FORMAT
            printf '%s\n' needrestart nagios
        case lost
            echo lost
    end
end

function __offloadctl_complete
    set -l words (commandline -opc) # without the one to complete
    set -l current (commandline -ct)
    set -l command
    set -l arguments
    set -l value # of the option before the current word
    set -l commands (__offloadctl_help | string replace -rf '^  ([a-z-]+) .*' '$1')
    for word in $words[2..-1]
        contains -- $word $commands; and set command $word; and break
    end
    set -l options (__offloadctl_help (test -n "$command"; and echo $command; or echo status) |
        string replace -rf '^  (-., )?(--[a-z-]+)( ([][A-Za-z:]+))? +(.*)$' '$2\t$4\t$5')
    for word in $words[2..-1]
        if test -n "$value"
            set value
        else if string match -q -- '-*' $word
            test $word = -o; and set word --output
            set value (string replace -rf -- "^$word\t([^\t]+)\t.*" '$1' $options)
        else if test "$word" != "$command"
            set -a arguments $word
        end
    end
    if test -n "$value"
        __offloadctl_values $value $current
    else if set -l assigned (string match -rg -- '^(--[a-z-]+)=(.*)' $current)
        set value (string replace -rf -- "^$assigned[1]\t([^\t]+)\t.*" '$1' $options)
        test -n "$value"; and __offloadctl_values $value $assigned[2] | string replace -r -- '^' "$assigned[1]="
    else if string match -q -- '-*' $current
        string replace -r -- '\t.*\t' '\t' $options
        test -n "$command"; or printf '%s\t%s\n' --version 'Show the version'
    else
        switch "$command:"(count $arguments)
            case ':*'
                __offloadctl_commands
            case 'plan:*' 'apply:*' 'wait-online:*' 'snapshot:*' 'sockets:*' show:0 explain:0 revert:0 pause:0 resume:0 check-path:0 verify:0
                __offloadctl_links
            case explain:1
                __offloadctl_features $arguments[1]
            case rules:0
                printf '%s\n' new cat edit enable disable
                __offloadctl_links
            case 'rules:*'
                command offloadctl rules --json 2>/dev/null | string match -rg '"file": *"([^"]*)"'
                __offloadctl_links
            case path:0
                __offloadctl_links
                __offloadctl_units service,socket
            case 'check:*' 'diff:*' 'import:*'
                __fish_complete_path $current
        end
    end
end

complete -c offloadctl -f -a '(__offloadctl_complete)'

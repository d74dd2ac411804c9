# SPDX-License-Identifier: GPL-2.0-or-later
# zsh -f completions.zsh DIRECTORY LINE...: what an interactive zsh with the completions of this directory offers for each line that ends
# in a Tab: after "== LINE" each word in a line of its own. The terminal may echo what the shell is sent, so the marks are split there.
zmodload zsh/zpty
directory=$1
shift
zpty shell zsh -f -i
zpty -w shell "stty -echo; PROMPT= RPS1=; unsetopt zle_bracketed_paste; bindkey -e; fpath=(${(q)directory} \$fpath)"
zpty -w shell 'autoload -Uz compinit; compinit -u -D'
zpty -w shell 'compadd() {
	local -a words
	if ! (( ${@[(I)-[OAD]]} )); then builtin compadd -O words "$@"; print -rl -- "W""ORD "$^words; fi
	builtin compadd "$@"
}'
zpty -w shell 'offer() { _main_complete; compstate[insert]= compstate[list]= }; zle -C offer complete-word offer'
zpty -w shell 'ask() { zle offer; BUFFER=; print -r -- E""ND }; zle -N ask; bindkey "^I" ask; print R""EADY'
while zpty -r shell text && [[ $text != *READY* ]]; do :; done
for line; do
	print -r -- "== $line"
	zpty -w -n shell "$line"$'\t'
	while zpty -r shell text && [[ $text != *END* ]]; do
		[[ $text != *WORD* ]] || print -r -- ${${text##*WORD }%%$'\r'*}
	done
done
zpty -d shell

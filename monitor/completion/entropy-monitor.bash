# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for entropy-monitor(8)

_entropy_monitor() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words
    local verbs='record finish report plot compare check export status --help --version'

    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$current")
        return
    fi

    # "=" breaks words in bash: --option = value
    if [[ $current == '=' ]]; then
        current=
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $previous in
    --theme) words='auto light dark' ;;
    --until | -u) words='boot ready ready+5s' ;;
    --csv) words='samples starts events blocked' ;;
    --interval | -i | --duration | -d | --max-ready | --max-blocked | --min-level | --wait | -w) return ;;
    esac
    if [[ -n ${words-} ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi

    if [[ $current == -* ]]; then
        case ${COMP_WORDS[1]} in
        record) words='--interval= --duration= --until= --output= --help --' ;;
        report | compare) words='--help' ;;
        finish) words='--wait= --help' ;;
        plot) words='--output= --html --theme= --help' ;;
        check) words='--max-ready= --max-blocked= --min-level= --no-uninitialized-reads --junit= --help' ;;
        export) words='--csv --csv= --help' ;;
        status) words='--json --prometheus --help' ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "${words-}" -- "$current")
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi
    [[ ${COMP_WORDS[1]} =~ ^(status|finish)$ ]] && return
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

complete -F _entropy_monitor entropy-monitor

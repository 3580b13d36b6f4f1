# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for entropy-seeder(8)

_entropy_seeder() {
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} words
    local options='
        --deadline= --initramfs --real-root --source= -c --config= --dry-run --report --report=json
        -q --quiet --verbose -V --version -h --help'
    local sources='hwrng cpu tpm platform config-drive seed-file egd metadata jitter'

    COMPREPLY=()

    # "=" breaks words in bash: --option = value
    if [[ $current == '=' ]]; then
        current=
    elif [[ $option == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    case $option in
    -c | --config)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --source) words=$sources ;;
    --report) words=json ;;
    --deadline) return ;;
    *)
        if [[ ${COMP_WORDS[1]} == image ]]; then
            if [[ $COMP_CWORD -eq 2 ]]; then
                words='check clean'
            elif [[ $current == -* ]]; then
                words='--dry-run --json --verbose --only= --running-system --help'
            else
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -d -- "$current")
                return
            fi
        elif [[ $COMP_CWORD -eq 1 && $current != -* ]]; then
            words='run save image'
        else
            words=$options
        fi
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}

complete -F _entropy_seeder entropy-seeder

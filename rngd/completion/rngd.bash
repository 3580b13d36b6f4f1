# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for rngd(8)

_rngd() {
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    local options='
        -l --list -t --test -o --random-device= --status --status=json -v -V --version
        -h -? --help --usage
        -b --background -f --foreground -c --config= -p --pid-file= --pidfile=
        -D --drop-privileges= --require-source -q --quiet --verbose -d --debug
        -r --rng-device= -x --exclude= -n --include= -O --option= -T --rng-timeout=
        -e --entropy-count= -H --rng-entropy= --hrng= --no-drng= --rng-driver= --no-tpm=
        -W --fill-watermark= -s --random-step=
        -R --force-reseed= --reseed-interval= --feed-interval= --timeout= --fork-check=
        -i --ignorefail -u --use-slow-sources -S --stats-interval= -B --rng-buffers=
        -Q --rng-quality='
    local sources='hwrng cpu tpm egd metadata file exec jitter rdrand darn rndr nist pkcs11 rtlsdr qrypt namedpipe'

    COMPREPLY=()

    # "=" breaks words in bash: --option = value
    if [[ $current == '=' ]]; then
        current=
    elif [[ $option == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    case $option in
    -c | --config | -o | --random-device | -p | --pid-file | --pidfile | -r | --rng-device)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    -x | --exclude | -n | --include | -O | --option)
        mapfile -t COMPREPLY < <(compgen -W "$sources" -- "$current")
        return
        ;;
    -D | --drop-privileges)
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
        return
        ;;
    --hrng)
        mapfile -t COMPREPLY < <(compgen -W 'help intelfwh viakernel viapadlock' -- "$current")
        return
        ;;
    --rng-driver)
        mapfile -t COMPREPLY < <(compgen -W 'stream viapadlock' -- "$current")
        return
        ;;
    --no-drng | --no-tpm)
        mapfile -t COMPREPLY < <(compgen -W '0 1' -- "$current")
        return
        ;;
    --status)
        if [[ ${COMP_WORDS[COMP_CWORD]} == '=' || ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then
            mapfile -t COMPREPLY < <(compgen -W 'json' -- "$current")
            return
        fi
        ;;
    -Q | --rng-quality)
        mapfile -t COMPREPLY < <(compgen -W 'default low medium high' -- "$current")
        return
        ;;
    -[TeHWsRSB] | --rng-timeout | --entropy-count | --rng-entropy | --fill-watermark | \
        --random-step | --force-reseed | --reseed-interval | --feed-interval | --timeout | \
        --fork-check | --stats-interval | --rng-buffers)
        return
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi
}

complete -F _rngd rngd

/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One table says what can be set. A row is a key of guest-entropy.conf, an option of a command line,
 * or both; from the table come the parsing of both (file.h, options.h), their error lines and
 * --help, so that they cannot drift apart. tests/integration/check-man.py holds manual pages and
 * completions against what the programs say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/config/messages.h"
#include "lib/config/values.h"

#define SETTING_TEXT_SIZE     128U
#define SETTING_ARGUMENTS_MAX 16U

/* Positive codes of what reads settings. */
enum {
        CONFIG_E_USAGE = 1, /* the command line, with lines in Messages: exit 64 */
        CONFIG_E_FILE,      /* the configuration file, with lines in Messages: exit 78 */
        CONFIG_E_HELP,      /* SETTING_HELP was given */
        CONFIG_E_ANSWERED,  /* --help and its like: the rest of the command line does not matter */
};

/* Who decided; a later one wins. */
typedef enum Origin {
        ORIGIN_DEFAULT,
        ORIGIN_CONFIG,
        ORIGIN_COMMAND_LINE,
} Origin;

/* What is being read. */
typedef struct SettingLayer {
        Origin origin;
        const char *base_directory; /* relative paths of a command line start here, unless NULL */
        Messages *notices;          /* what was accepted but is not done; may be NULL */
} SettingLayer;

/* What a value is, and what lies at the row's offset. */
typedef enum SettingType {
        SETTING_CALL,      /* apply() decides; the offset is not used */
        SETTING_OFF,       /* bool: becomes false; takes no value */
        SETTING_CHOICE,    /* int: becomes value; takes no other */
        SETTING_ANSWER,    /* int: the same, and the rest of the command line does not matter */
        SETTING_HELP,      /* nothing: the same, for a caller who has no field for it */
        SETTING_BOOL,      /* bool: yes or no; an option without a value: yes */
        SETTING_U32,       /* uint32_t: minimum to maximum */
        SETTING_USEC,      /* uint64_t: a time span from minimum to maximum */
        SETTING_WORD,      /* int: one of words; an option without one: value */
        SETTING_TEXT,      /* char *: what check() accepts */
        SETTING_PATH,      /* char *: absolute in a file; on a command line made so */
        SETTING_ARGUMENTS, /* SettingArguments: at most so many words, without copies: maximum */
        SETTING_ARGUMENT,  /* const char *: a word of argv itself, not a copy */
        SETTING_USER,      /* UserIds */
        SETTING_COMMAND,   /* char **: a program and its arguments */
} SettingType;

/* The words of a command line that are no options. */
typedef struct SettingArguments {
        const char *list[SETTING_ARGUMENTS_MAX];
        size_t n;
} SettingArguments;

typedef struct SettingWord {
        const char *name; /* NULL ends the list */
        int value;
} SettingWord;

typedef struct Setting {
        /* As --help shows it, with all its names: "-p, --pid-file=FILE, --pidfile=FILE". Without a
         * dash it stands for the arguments that are no options. NULL: a key only, or a heading. */
        const char *option;
        const char *help;  /* a heading of --help if there is neither option nor key */
        const char *key;   /* in the file, or NULL */
        uint32_t sections; /* the bits of those that have the key; 0: each with this table */

        SettingType type;
        size_t offset;
        size_t origin_offset; /* of the Origin that says who set it; 0: no one asks */
        int value;
        uint64_t minimum, maximum;
        const char *unit; /* of a number: " bits" */
        const SettingWord *words;
        const char *expected; /* what the value must be, where the type does not say it */
        bool hidden;          /* error lines do not show the value: it may hold a password */
        int (*check)(const char *value); /* of SETTING_TEXT and SETTING_ARGUMENT; NULL: not empty */
        /* value is NULL where an option was given none. CONFIG_E_ANSWERED is as SETTING_ANSWER. */
        int (*apply)(void *target, const char *value, const SettingLayer *layer);
        const char *ignored; /* accepted for old command lines, and nothing is done: why */
} Setting;

/* The type and the offset of a row. What does not fit the field's type does not compile. */
#define SETTING_AT(_type, _struct, _field)                                                 \
        .type = SETTING_##_type,                                                           \
        .offset = offsetof(_struct, _field) +                                              \
                  0 * sizeof(struct {                                                      \
                          _Static_assert(                                                  \
                                  SETTING_FITS(((_struct *)0)->_field, SETTING_C_##_type), \
                                  "a field of another type");                              \
                          char unused;                                                     \
                  })
/* An enum without negative values is unsigned. */
#define SETTING_FITS(_field, _c_type)                                 \
        (__builtin_types_compatible_p(__typeof__(_field), _c_type) || \
         (__builtin_types_compatible_p(_c_type, int) &&               \
          __builtin_types_compatible_p(__typeof__(_field), unsigned int)))
#define SETTING_C_OFF       bool
#define SETTING_C_CHOICE    int
#define SETTING_C_ANSWER    int
#define SETTING_C_BOOL      bool
#define SETTING_C_U32       uint32_t
#define SETTING_C_USEC      uint64_t
#define SETTING_C_WORD      int
#define SETTING_C_TEXT      char *
#define SETTING_C_PATH      char *
#define SETTING_C_ARGUMENT  const char *
#define SETTING_C_ARGUMENTS SettingArguments
#define SETTING_C_USER      UserIds
#define SETTING_C_COMMAND   char **

#define SETTING_RANGE(_minimum, _maximum) .minimum = (_minimum), .maximum = (_maximum)

/* The exit status of a program for what reading its settings returned. */
int config_exit_status(int r);

/* 0, CONFIG_E_HELP, CONFIG_E_ANSWERED, -EINVAL or -ERANGE (not such a value), other errno values. */
_must_check_ int setting_apply(
        const Setting *setting,
        void *target,
        const char *value,
        const SettingLayer *layer);

/* A value as an error line may show it. */
const char *setting_quote(
        const Setting *setting,
        const char *value,
        char buffer[static MESSAGES_QUOTE_SIZE]);
/* What a value must be, for an error line. */
const char *setting_expected(
        const Setting *setting,
        Origin origin,
        char buffer[static SETTING_TEXT_SIZE]);

/* Replaces a path as SETTING_PATH does: -EINVAL for what is no path here, or -ENOMEM. */
_must_check_ int setting_set_path(char **target, const char *path, const SettingLayer *layer);
/* The value of a word: 0 or -EINVAL. */
_must_check_ int setting_find_word(const SettingWord *words, const char *name, int *ret_value);

/* SPDX-License-Identifier: MIT */
#pragma once

/* Untrusted text in XML and HTML, such as names of processes and files. */

#include <stdio.h>

/* For an element or a quoted attribute. What is not plain ASCII becomes '?'. */
void markup_put(FILE *stream, const char *text);

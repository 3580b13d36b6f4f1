/* SPDX-License-Identifier: MIT */
#pragma once

/* Text in XML and HTML: names of processes and files are data of others. */

#include <stdio.h>

/* As the content of an element or of an attribute in quotes. What is not plain ASCII becomes '?'. */
void markup_put(FILE *stream, const char *text);

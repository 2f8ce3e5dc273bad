/*
 * What wordcount tells wordstat about one file: values of text, in order. Each begins with the line
 *
 *     MARK TAG RUN PART LINES BYTES
 *
 * MARK is . in the last value of a file and + in those before, TAG what the submitter called the file, RUN the
 * run of the job; PART counts from 0. Behind it stand lines "COUNT WORD". A job runs at least once, so parts
 * of an older run, and files that were told already, must be thrown away by the reader.
 */
#pragma once

enum {
    COUNTS_HEADER_BYTES = 128,
    COUNTS_VALUE_BYTES = 256 << 10, /* a value is cut at this size; every channel's limit is higher */
};

#define COUNTS_MORE '+'
#define COUNTS_LAST '.'

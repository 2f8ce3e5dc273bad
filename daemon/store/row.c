/* One job between struct job_row and the table `jobs`. */
#include "row.h"

#include <string.h>

uint32_t row_state(const struct job_row *row)
{
    return row->state == JOB_RUNNING ? JOB_READY : row->state;
}

int row_write(struct statement *insert, const struct job_row *given)
{
    struct job_row stored = *given, *row = &stored;
    int at = 0;

    row->state = row_state(given);
#define WRITE_NUMBER(name) bind_number(insert, ++at, (int64_t)row->name);
#define WRITE_BYTES(name)  bind_bytes(insert, ++at, row->name);
    JOB_COLUMNS(WRITE_NUMBER, WRITE_BYTES)
    bind_bytes(insert, ++at, (struct bytes){given->session.byte, sizeof(given->session.byte)});
    return at + 1;
}

int row_read(struct statement *select, struct job_row *row)
{
    int at = 0;

    *row = (struct job_row){0};
#define READ_NUMBER(name) row->name = (__typeof__(row->name))column_number(select, at++);
#define READ_BYTES(name)  row->name = column_bytes(select, at++);
    JOB_COLUMNS(READ_NUMBER, READ_BYTES)
    struct bytes session = column_bytes(select, at++);
    if (session.size == sizeof(row->session.byte))
        memcpy(row->session.byte, session.data, session.size);
    row->output_bytes = (uint64_t)column_number(select, at++);
    return at;
}

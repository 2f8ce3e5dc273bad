/* One job between struct job_row and the table `jobs`. */
#include "row.h"

#include <string.h>

uint32_t row_state(const struct job_row *row)
{
    return row->state == JOB_RUNNING ? JOB_READY : row->state;
}

enum {
    AT_id,
#define ROW_AT(name) AT_##name,
    JOB_COLUMNS(ROW_AT, ROW_AT, ROW_AT)
};

static void argument_cell(struct bytes argument, struct cell *cell)
{
    if (argument.size <= BODY_APART_BYTES)
        cell_bytes(cell, argument);
}

void row_cell(const struct job_row *row, struct bytes argument, int at, struct cell *cell)
{
    switch (at) {
    case AT_id:
        return cell_number(cell, (int64_t)row->id);
    case AT_session:
        return cell_bytes(cell, (struct bytes){row->session.byte, sizeof(row->session.byte)});
    case AT_argument:
        return argument_cell(argument, cell);
#define CELL_NUMBER(name)                                                                                    \
    case AT_##name:                                                                                          \
        return cell_number(cell, AT_##name == AT_state ? (int64_t)row_state(row) : (int64_t)row->name);
#define CELL_BYTES(name)                                                                                     \
    case AT_##name:                                                                                          \
        return cell_bytes(cell, row->name);
        JOB_COLUMNS(CELL_NUMBER, CELL_BYTES, ROW_NOTHING)
    }
}

int row_read_alone(struct statement *select, struct job_row *row)
{
    int at = 0;

    *row = (struct job_row){0};
#define READ_NUMBER(name) row->name = (__typeof__(row->name))column_number(select, at++);
#define READ_BYTES(name)  row->name = column_bytes(select, at++);
    READ_NUMBER(id)
    JOB_COLUMNS(READ_NUMBER, READ_BYTES, ROW_NOTHING)
    struct bytes session = column_bytes(select, at++);
    if (session.size == sizeof(row->session.byte))
        memcpy(row->session.byte, session.data, session.size);
    return at;
}

int row_read(struct statement *select, struct job_row *row)
{
    int at = row_read_alone(select, row);

    row->output_bytes = (uint64_t)column_number(select, at++);
    row->argument_bytes = (uint64_t)column_number(select, at++);
    return at;
}

int schedule_write(struct statement *insert, const struct schedule_row *row)
{
    int at = 0;

#define WRITE_BYTES(name)          bind_bytes(insert, ++at, row->name);
#define WRITE_MEMBER(member, name) bind_number(insert, ++at, (int64_t)row->member);
    SCHEDULE_COLUMNS(WRITE_MEMBER, WRITE_BYTES)
    return at + 1;
}

int schedule_read(struct statement *select, struct schedule_row *row)
{
    int at = 0;

    *row = (struct schedule_row){0};
#define READ_MEMBER(member, name) row->member = (__typeof__(row->member))column_number(select, at++);
    SCHEDULE_COLUMNS(READ_MEMBER, READ_BYTES)
    return at;
}

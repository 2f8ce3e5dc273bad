/*
 * Time zones of the system, by their names ("Europe/Berlin"), as the core wants them (zone.h): read from the files of
 * the package tzdata, with their last rule written out for every year that 64 bits of nanoseconds can count.
 * What was before 1969 is not kept.
 */
#pragma once

#include "bytes.h"
#include "zone.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

enum { ZONE_FILE_BYTES_MAX = 1 << 16 };

/*
 * The zone of this name in a folder of zone files; "UTC" needs no file. The caller owns *zone: zone_delete. Reads one
 * file, which may block as a disk does. Any thread. -EINVAL: no name of a zone can look like this. -ENOENT: there is
 * none of this name. -EBADMSG: the file is no zone (zone_data_read). -E2BIG: it is larger than ZONE_FILE_BYTES_MAX.
 * -ENOMEM; other errors of open and read.
 */
int zone_file_read(const char *folder, const char *name, struct zone **zone);

/*
 * The zone that the bytes of a file describe (TZif of version 2 or later; the caller owns *zone). Any thread; never
 * blocks. -EBADMSG: something else, cut short, a zone that counts leap seconds, or one whose clocks change more often
 * or further than zone.h allows. -ENOMEM.
 */
int zone_data_read(struct bytes data, struct zone **zone);

/* Accepts NULL. */
struct zone *zone_delete(struct zone *zone);

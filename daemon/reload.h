/* SIGHUP: says whether the configuration on disk is good. Options take effect at the next start. */
#pragma once

/* Remembers the command line, whose flags win again. */
void reload_remember(int argc, char **argv);
void reload_check(void);

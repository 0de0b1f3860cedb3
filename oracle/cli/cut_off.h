/* Model files that are cut off while a command reads them. Commands that end soon map their files,
 * which the system answers with SIGBUS then: in whatever thread, and as well when the disk fails.
 */
#ifndef LKS_CLI_CUT_OFF_H
#define LKS_CLI_CUT_OFF_H

/* From now on such a file ends the process with one line on standard error and LKS_EXIT_INPUT.
 * Once, before other threads start. */
void lks_cut_off_catch(void);

/* Names a file that is mapped from now on, for that line. Before other threads read it. */
void lks_cut_off_name(const char *path);

#endif

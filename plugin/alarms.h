/* Lines in the log for what may soon cost a stake or a bond, and for what has: dangers are
 * warnings, losses are errors. The event thread's. */
#ifndef LKS_PLUGIN_ALARMS_H
#define LKS_PLUGIN_ALARMS_H

#include "plugin/operator.h"

/* Warns every minute for which the plugin does not know the newest block. To be called with every
 * turn. */
void lks_alarms_behind(lks_operator *op);

/* Says every minute for which the database cannot be written that nothing is signed. To be called
 * with every turn. */
void lks_alarms_store(lks_operator *op);

/* Takes from the match how long its disputes still wait for a move of ours, and warns as
 * lks_alarms_clock does. For a match whose disputes have been asked for at this head. */
void lks_alarms_look(lks_operator *op, lks_match *m);
/* Warns of a turn of ours that has less than the deployment's FLOOR left, and of one that is open
 * when the claim's window ends. */
void lks_alarms_clock(lks_operator *op, lks_match *m);
/* Says once that a dispute of ours is lost. */
void lks_alarms_lost(lks_operator *op, lks_match *m);

/* Says once that so much of the database cannot be used. In: what, the rows' name. */
void lks_alarms_damage(lks_operator *op, const lks_damage *damage, const char *what);

/* Warns once of an accepted request whose answer can no longer be expected in time. */
void lks_alarms_job(lks_operator *op, const lks_job *job, const lks_job_world *world);

#endif

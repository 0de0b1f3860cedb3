/* The challenger's side of a claim of somebody else's: checks, challenges, and the game. The event
 * thread's. */
#ifndef LKS_PLUGIN_ATTACK_H
#define LKS_PLUGIN_ATTACK_H

#include "plugin/operator.h"

/* Does, or proposes, what the claim needs next. */
void lks_attack_look(lks_operator *op, lks_match *m);
/* Proposes that the claim's tokens are run again, if that can end in time. */
void lks_attack_check(lks_operator *op, lks_match *m);
/* Gives up a check or comparison that cannot end in time: nobody could dispute the claim then. Says
 * so. */
void lks_attack_give_up(lks_operator *op, lks_match *m, lks_task_kind kind);

#endif

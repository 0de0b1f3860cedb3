/* The defence of a claim of ours: what its disputes ask. The event thread's. */
#ifndef LKS_PLUGIN_DEFENCE_H
#define LKS_PLUGIN_DEFENCE_H

#include "plugin/operator.h"

/* Proposes the answers to every live dispute that asks: those that ask for nodes together, and
 * apart from them those that ask for rows, which may take a pass of the engine. As many places as
 * one task answers, the nearest deadline first. Ends disputes whose challenger is late. */
void lks_defence_look(lks_operator *op, lks_match *m);

#endif

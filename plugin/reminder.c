#include "plugin/reminder.h"

#include "plugin/clock.h"

bool lks_reminder_due(lks_reminder *r, uint64_t every_ms)
{
    uint64_t now = lks_now_ms();
    if (r->told && now - r->told_ms < every_ms)
        return false;
    r->told = true;
    r->told_ms = now;
    return true;
}

bool lks_reminder_end(lks_reminder *r)
{
    bool told = r->told;
    r->told = false;
    return told;
}

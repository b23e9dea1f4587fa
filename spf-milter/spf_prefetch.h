#ifndef SPF_SPF_PREFETCH_H
#define SPF_SPF_PREFETCH_H

struct spf_check;

/*
 * Starts look-ups that the records known so far are likely to need, at most
 * SPF_PREFETCH_MAX of them in one evaluation, and reads those that have come for
 * the look-ups they lead to. Counts neither terms nor void look-ups: those are
 * counted when a term is evaluated.
 *
 * Blocking: never.
 */
void spf_prefetch(struct spf_check *check);

#endif

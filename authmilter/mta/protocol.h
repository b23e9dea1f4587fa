#ifndef AUTHMILTER_MTA_PROTOCOL_H
#define AUTHMILTER_MTA_PROTOCOL_H

/*
 * The milter protocol as the MTA sees it: version 6, with what differs in
 * versions 2 to 5 decided by the negotiated bits. Numbers come from the wire,
 * not from libmilter, so that both sides cannot share one mistake.
 */

#include <stdint.h>

/* Commands of the MTA. */
enum mta_command {
    MTA_CMD_ABORT = 'A',
    MTA_CMD_BODY = 'B',
    MTA_CMD_CONNECT = 'C',
    MTA_CMD_MACRO = 'D',
    MTA_CMD_EOM = 'E',
    MTA_CMD_HELO = 'H',
    MTA_CMD_QUIT_NC = 'K',
    MTA_CMD_HEADER = 'L',
    MTA_CMD_MAIL = 'M',
    MTA_CMD_EOH = 'N',
    MTA_CMD_NEGOTIATE = 'O',
    MTA_CMD_QUIT = 'Q',
    MTA_CMD_RCPT = 'R',
    MTA_CMD_DATA = 'T',
    MTA_CMD_UNKNOWN = 'U',
};

/* Replies of the milter. */
enum mta_answer {
    MTA_ANS_ADD_RCPT = '+',
    MTA_ANS_DEL_RCPT = '-',
    MTA_ANS_ADD_RCPT_PAR = '2',
    MTA_ANS_SHUTDOWN = '4',
    MTA_ANS_ACCEPT = 'a',
    MTA_ANS_REPLACE_BODY = 'b',
    MTA_ANS_CONTINUE = 'c',
    MTA_ANS_DISCARD = 'd',
    MTA_ANS_CHANGE_FROM = 'e',
    MTA_ANS_CONN_FAIL = 'f',
    MTA_ANS_ADD_HEADER = 'h',
    MTA_ANS_INSERT_HEADER = 'i',
    MTA_ANS_MACRO_LIST = 'l',
    MTA_ANS_CHANGE_HEADER = 'm',
    MTA_ANS_PROGRESS = 'p',
    MTA_ANS_QUARANTINE = 'q',
    MTA_ANS_REJECT = 'r',
    MTA_ANS_SKIP = 's',
    MTA_ANS_TEMPFAIL = 't',
    MTA_ANS_REPLY_CODE = 'y',
};

/* Actions a milter may ask for. */
#define MTA_ACT_ADD_HEADERS 0x001u
#define MTA_ACT_CHANGE_BODY 0x002u
#define MTA_ACT_ADD_RCPT 0x004u
#define MTA_ACT_DELETE_RCPT 0x008u
#define MTA_ACT_CHANGE_HEADERS 0x010u
#define MTA_ACT_QUARANTINE 0x020u
#define MTA_ACT_CHANGE_FROM 0x040u
#define MTA_ACT_ADD_RCPT_PAR 0x080u
#define MTA_ACT_MACRO_LIST 0x100u
#define MTA_ACT_ALL 0x1ffu

/* Steps: what the MTA shall not send, what needs no reply, and how headers travel. */
#define MTA_STEP_NO_CONNECT 0x000001u
#define MTA_STEP_NO_HELO 0x000002u
#define MTA_STEP_NO_MAIL 0x000004u
#define MTA_STEP_NO_RCPT 0x000008u
#define MTA_STEP_NO_BODY 0x000010u
#define MTA_STEP_NO_HEADERS 0x000020u
#define MTA_STEP_NO_EOH 0x000040u
#define MTA_STEP_NR_HEADER 0x000080u
#define MTA_STEP_NO_UNKNOWN 0x000100u
#define MTA_STEP_NO_DATA 0x000200u
#define MTA_STEP_SKIP 0x000400u
#define MTA_STEP_RCPT_REJECTED 0x000800u
#define MTA_STEP_NR_CONNECT 0x001000u
#define MTA_STEP_NR_HELO 0x002000u
#define MTA_STEP_NR_MAIL 0x004000u
#define MTA_STEP_NR_RCPT 0x008000u
#define MTA_STEP_NR_DATA 0x010000u
#define MTA_STEP_NR_UNKNOWN 0x020000u
#define MTA_STEP_NR_EOH 0x040000u
#define MTA_STEP_NR_BODY 0x080000u
#define MTA_STEP_HEADER_SPACE 0x100000u
#define MTA_STEP_ALL 0x1fffffu

/* Body chunks longer than 64 KiB: the MTA offers it, the milter agrees. No MTA of today does, so
 * they are in no MTA_STEP_ALL. */
#define MTA_STEP_SIZE_256K 0x10000000u
#define MTA_STEP_SIZE_1M 0x20000000u

/* What the versions before 6 knew. */
#define MTA_ACT_VERSION_2 0x03fu
#define MTA_STEP_VERSION_2 0x00007fu
#define MTA_STEP_VERSION_3 0x00017fu
#define MTA_STEP_VERSION_4 0x00037fu

/* Longest packet read from a milter; longer ones are an error of the peer. */
#define MTA_PACKET_MAX (2u << 20)

/* What a milter may send in one step, and ask of one message; more is an error of the peer. */
#define MTA_PROGRESS_MAX 100000u
#define MTA_EDITS_MAX 50000u
#define MTA_EDIT_BYTES_MAX ((size_t)256 << 20)

#endif

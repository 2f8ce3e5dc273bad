/* The commands about topics. */
#include "commands.h"
#include "option_rows.h"

const struct command topic_commands[] = {
    {
        .name = "pub",
        .operands = "TOPIC [VALUE…|-]",
        .help = "publish messages on a topic",
        .more =
            "They go to everybody who has subscribed, and a topic need not be made. With - or --lines each\n"
            "line of standard input is one message, without its newline. --once ID says ID of the first\n"
            "message, and ID.2, ID.3, … of those behind it. --in and --at have the daemon keep messages of "
            "a\n"
            "durable topic until their time has come; goctl topic info tells how many wait.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_TOPIC,
        .rows = pub_rows,
        .examples =
            EXAMPLES("goctl pub news.sports 1:0", "tail -f app.log | goctl pub logs.app -",
                     "goctl pub orders.new '{\"id\": 7}' --key customer-3 --header kind=order --json",
                     "goctl pub ticks tick -n 5 --every 1s", "goctl pub reminders 'call back' --in 2h"),
        .run = command_pub,
    },
    {
        .name = "sub",
        .operands = "PATTERN…",
        .help = "subscribe to topics, and print their messages",
        .more =
            "In a pattern, * stands for one part of a topic and > at its end for one or more: news.*,\n"
            "shop.>. Then the topic is printed in front of each value. It ends when its topics are closed\n"
            "(goctl topic close), after -n messages, or when --timeout passes without one.\n"
            "What it had no room for is counted, and told in front of the next message. When the daemon\n"
            "goes away it waits, and goes on when there is one again; --no-reconnect, --try and --ctx\n"
            "end it then.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_TOPIC,
        .rows = sub_rows,
        .examples =
            EXAMPLES("goctl sub news.sports", "goctl sub 'news.>' 'weather.*' --json",
                     "goctl sub orders.new -n 1 --timeout 2s",
                     "goctl sub 'logs.>' --policy drop-oldest --capacity 100",
                     "goctl sub 'shop.>' --format '%T %t %h{kind} %p'", "goctl sub 'sensors.>' --from last",
                     "goctl sub 'orders.>' --durable billing --from start --ack"),
        .run = command_sub,
    },
    {
        .name = "topic",
        .operands =
            "ls [PATTERN] | info NAME… | close PATTERN… | set PATTERN SETTING=VALUE… | unset PATTERN… | "
            "purge TOPIC… | rm TOPIC…",
        .help = "look at topics, have them kept, end their subscriptions",
        .verbs = "ls info close set unset purge rm",
        .more =
            "ls lists the topics that are kept, those with a last message that is remembered, and the names\n"
            "and patterns that somebody has subscribed to.\n"
            "close ends the live subscriptions with just this pattern, behind what they have got.\n"
            "set has the daemon keep the messages of all topics that match, and says how many, or remember\n"
            "the last one of each, with last=yes, for goctl sub --from last. SETTING= takes that back, "
            "unset\n"
            "all that was set of the pattern. purge forgets what is kept, but for the last --keep, or only\n"
            "up to --until; rm forgets the topic, too.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_TOPIC,
        .rows = topic_rows,
        .examples = EXAMPLES(
            "goctl topic ls", "goctl topic info news.sports --json", "goctl topic close news.sports",
            "goctl topic set 'orders.>' durable=yes keep_for=604800", "goctl topic set 'sensors.>' last=yes"),
        .run = command_topic,
    },
    {
        .name = "durable",
        .operands = "ls [PREFIX] | info NAME | set NAME SETTING=VALUE… | pause NAME | resume NAME | seek "
                    "NAME WHERE | rm NAME",
        .help = "durable subscriptions: where they are, and what is set of them",
        .verbs = "ls info set pause resume seek rm",
        .more =
            "They are made by goctl sub --durable NAME, and share their messages among those who join them.\n"
            "set changes ack_wait, tries, dead, ordered and window; see goclient_topic(3). pause lets\n"
            "nothing be given out until resume; seek goes on at start, now, a sequence, a time, or so long\n"
            "ago, whatever was acknowledged.",
        .operands_min = 1,
        .operands_max = -1,
        .rows = ls_rows,
        .examples =
            EXAMPLES("goctl durable ls", "goctl durable info billing --json",
                     "goctl durable set billing tries=5 dead=dead.orders", "goctl durable seek billing 1h"),
        .run = command_durable,
    },
    {
        .name = "feed",
        .operands = "set NAME [PATTERN [PLUGIN.so:FUNCTION]], ls [PREFIX], or rm|pause|resume NAME…",
        .help = "feeds: messages of durable topics become jobs",
        .more =
            "Each message that matches PATTERN becomes one job, whatever dies; without the plugin, as\n"
            ":FUNCTION, for workers. set makes a feed, or changes what is named of one that is there. While\n"
            "its queue is full a feed waits, and the log keeps what is to come; ls says what it waits for.\n"
            "rm forgets some, whose jobs stay; pause holds some until resume.",
        .operands_min = 1,
        .operands_max = -1,
        .verbs = "set ls rm pause resume",
        .completes = COMPLETES_FILE,
        .rows = feed_rows,
        .examples =
            EXAMPLES("goctl feed set billing 'orders.paid.>' ./billing.so:bill --queue billing --from start",
                     "goctl feed set mail 'orders.*' :send_mail --message", "goctl feed ls --json",
                     "goctl feed set billing --ahead 100", "goctl feed pause billing"),
        .run = command_feed,
    },
    {.name = NULL},
};

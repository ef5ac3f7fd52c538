"""What is left to do with a server that runs: little, but that regularly."""

from __future__ import annotations

#: When → what, in Markdown.  What stands in backticks is to be typed.
DUTIES: dict[str, tuple[str, ...]] = {
    "Every week": (
        "Look into Junk: honest mail there is dragged back, and the filter learns.",
        "`./guide health`: everything on one page, and what to do.",
        "Read what the server wrote to the postmaster. It writes only when something changed.",
    ),
    "Every month": (
        "`./guide check --prove`: look at everything, and run every proof.",
        "`./guide reports`: who sends in your name, by the reports of others.",
        "Bring one letter back from the backup. A backup that nobody ever read is a hope (chapter 20).",
        "`./guide people list`: who has left, and still has a mailbox?",
        "Restart the machine when an update asks for it, at an hour you choose.",
    ),
    "Every year": (
        "`./guide rotate`: another key for the seal, without losing a letter.",
        "Pay for the domain before somebody else does.",
        "Is Debian 12 still looked after? Its security team and its LTS team care for it until June 2028; move before (chapter 21).",
        "Who else knows how to get in? Show this report to that person.",
    ),
    "When something breaks": (
        "Breathe. Mail that cannot be delivered waits, here or at the others, for days.",
        "`./guide health` says what is wrong now, `./guide check` which step is not true any more.",
        "`./guide apply CHAPTER.STEP` makes that step true again, and touches nothing else.",
        "`./guide trace ADDRESS` says where a letter went.",
        "`./guide undo CHAPTER.STEP` puts back what a step replaced.",
        "The index below leads from what you see to the cell that repairs it.",
    ),
    "When the machine is gone": (
        "Rent another one, and make it known: `./guide connect root@HOST --domain D`.",
        "Bring back the backup as chapter 20 says, with the key that you kept elsewhere.",
        "Change the addresses in the DNS. Until then, other servers keep your mail and try again.",
    ),
}

"""SIP without I/O: messages, transactions, dialogs, digest, SDP. Time is passed in, bytes come in and go out."""

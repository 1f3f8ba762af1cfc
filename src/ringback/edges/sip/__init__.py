"""SIP on real sockets: UDP, TCP and TLS transports, the user agent and the registrar over `ringback.sip`."""

"""Media workers: processes that send, receive, mix and record audio on a 20 ms loop; the main process
uses `client`."""

"""The media store: files of messages, ``/mcs/v1`` (conversations-js.md §6); other parts keep their media here too."""

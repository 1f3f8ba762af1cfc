"""``/docs``: the documentation that the server serves of itself, made from the declarations and the pages of ``docs/``.

What there is to document is read into plain records (``reference.py``, ``vocabulary.py``, ``handbook.py``); pages turn
records into HTML (``*_page.py``, ``layout.py``, ``markup.py``); ``site.py`` serves them, and the search over
them. Nothing here names a noun, a verb or an error: adding one to its registry gives it its page.
"""

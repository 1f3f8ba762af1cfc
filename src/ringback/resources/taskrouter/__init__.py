"""TaskRouter's nouns (taskrouter.md §1, §2). Writes become events of the workspace; the desk alone edits them."""

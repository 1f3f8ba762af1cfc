"""TaskRouter's nouns (taskrouter.md §1, §2). Writes become events of the workspace; TaskRouter alone edits them."""

"""Values become text for people: blocks first, then plain text or HTML. Nothing here reads or writes."""

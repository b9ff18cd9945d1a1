"""SQL as syntax trees: the door for people's SQL, and plans compiled to the text of each engine's dialect."""
